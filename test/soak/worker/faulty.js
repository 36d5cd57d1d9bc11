/** The Worker with a bucket and a clock that can fail, a log that is counted, and scores that can be wrong. */
import { env as bindings } from 'cloudflare:workers';
import worker from '../../../bench/worker/memory.js';

/**
 * @typedef {object} Faults
 * @property {number} delay milliseconds before each read
 * @property {number} failing reads that fail of every `of`
 * @property {number} of
 * @property {'whole' | 'half' | 'damaged'} files how the bytes of a model's files arrive
 * @property {number} clock milliseconds by which the clock is ahead
 * @property {number} wrongScore every nth score has a wrong last digit; 0: none
 */

/** @type {Faults} */
const NO_FAULTS = { delay: 0, failing: 0, of: 1, files: 'whole', clock: 0, wrongScore: 0 };

/** @type {Faults} */
let faults = NO_FAULTS;
let reads = 0;
let scores = 0;

// The binding's prototype, so that the faults hold wherever the Worker got its bucket from.
const { MODELS } = /** @type {import('../../../src/env.ts').Env} */ (/** @type {unknown} */ (bindings));
/** @type {R2Bucket} */
const bucket = Object.getPrototypeOf(MODELS);
const { get, head } = bucket;
const BODY = new Set(['body', 'bodyUsed', 'arrayBuffer', 'bytes', 'text', 'json', 'blob']);

Object.assign(bucket, {
  /** @this {R2Bucket} @param {string} name @param {R2GetOptions} options */
  async get(name, options) {
    await disturb();
    const object = await get.call(this, name, options);
    if (!object || !('body' in object) || faults.files === 'whole' || !name.startsWith('models/')) return object;
    const spoiled = new Response(spoil(await object.arrayBuffer(), faults.files));
    return new Proxy(object, {
      get(_, key) {
        const from = BODY.has(String(key)) ? spoiled : object;
        const value = Reflect.get(from, key);
        return typeof value === 'function' ? value.bind(from) : value;
      },
    });
  },
  /** @this {R2Bucket} @param {string} name */
  async head(name) {
    await disturb();
    return head.call(this, name);
  },
});

async function disturb() {
  const { delay, failing, of } = faults;
  if (delay > 0) await scheduler.wait(delay);
  if (reads++ % of < failing) throw new Error('get: We encountered an internal error. Please try again. (10001)');
}

/** @param {ArrayBuffer} buffer @param {'half' | 'damaged'} how */
function spoil(buffer, how) {
  if (how === 'half') return buffer.slice(0, buffer.byteLength >> 1);
  const bytes = new Uint8Array(buffer);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
  return bytes;
}

const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  /** @param {unknown[]} args */
  construct: (target, args) => Reflect.construct(target, args.length === 0 ? [Date.now()] : args),
  get: (target, key) => (key === 'now' ? () => RealDate.now() + faults.clock : Reflect.get(target, key)),
});

/** Log lines by status and code, the reasons for the Worker's own failures, and lines that are not the Worker's. */
const logged = {
  /** @type {Record<string, number>} */
  counts: {},
  /** @type {Set<string>} */
  reasons: new Set(),
  /** @type {Set<string>} */
  unexpected: new Set(),
};

for (const name of /** @type {const} */ (['log', 'error'])) {
  const write = console[name].bind(console);
  /** @param {unknown[]} args */
  console[name] = (...args) => {
    write(...args);
    const line = String(args[0]);
    if (!line.startsWith('{')) {
      logged.unexpected.add(line);
      return;
    }
    const { status, code, reason } = JSON.parse(line);
    const key = [status, code].filter((each) => each !== undefined).join(' ');
    logged.counts[key] = (logged.counts[key] ?? 0) + 1;
    if (reason !== undefined) logged.reasons.add(`${code}: ${reason}`);
  };
}

/** @param {string} _ @param {string} score */
const makeWrong = (_, score) => `"score":${(Number(score) + 1e-6).toFixed(6)}`;

/** @satisfies {ExportedHandler<import('../../../src/env.ts').Env>} */
export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === '/soak/faults') {
      faults = { ...NO_FAULTS, .../** @type {Partial<Faults>} */ (await request.json()) };
      reads = 0;
      return new Response(null, { status: 204 });
    }
    if (pathname === '/soak/log') {
      const { counts, reasons, unexpected } = logged;
      return Response.json({ counts, reasons: [...reasons], unexpected: [...unexpected] });
    }
    const response = await worker.fetch(request, env, context);
    const { wrongScore } = faults;
    if (wrongScore === 0 || response.status !== 200 || request.method !== 'POST') return response;
    const text = await response.text();
    return new Response(++scores % wrongScore === 0 ? text.replace(/"score":([\d.]+)/, makeWrong) : text, response);
  },
};
