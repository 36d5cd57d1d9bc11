/**
 * Records what a new isolate does until its first answer, at its borders with R2, WebCrypto and ONNX Runtime. Import this first.
 * The local workerd's clock advances during work, in whole milliseconds; Cloudflare's does not.
 */
import { env } from 'cloudflare:workers';
import { InferenceSession } from 'onnxruntime-web/wasm';

/** @typedef {'storage' | 'verification' | 'session' | 'run'} Kind */

/** Milliseconds since the epoch. @type {{ kind: Kind, from: number, to: number }[]} */
const spans = [];

/** Operations that R2 charges for. */
let reads = 0;

/** When the first request arrived; until then the clock stands still. */
let started = 0;

/** Call this when a request arrives. */
export function begin() {
  started ||= Date.now();
}

/** What was done for requests. Work that began before the first one counts from its arrival. */
export function recorded() {
  const clamp = (/** @type {number} */ time) => Math.max(time, started);
  return { reads, spans: spans.map(({ kind, from, to }) => ({ kind, from: clamp(from), to: clamp(to) })) };
}

/**
 * Replaces methods by ones that record their calls.
 *
 * @param {object} target @param {Kind} kind @param {readonly string[]} names
 * @param {(result: object | null) => void} [seen] gets each result
 */
function record(target, kind, names, seen = () => {}) {
  for (const name of names) {
    const method = Reflect.get(target, name);
    if (typeof method !== 'function') continue;
    const recording = {
      /** @param {unknown[]} args */
      async [name](...args) {
        const from = Date.now();
        try {
          const result = await method.apply(this, args);
          seen(result);
          return result;
        } finally {
          spans.push({ kind, from, to: Date.now() });
        }
      },
    };
    Reflect.set(target, name, recording[name]);
  }
}

/** Prototypes of R2's objects whose methods are recorded. @type {Set<object>} */
const known = new Set();

const { MODELS } = /** @type {import('../../src/env.ts').Env} */ (/** @type {unknown} */ (env));

// With the variable `R2_DELAY`, the bucket is so many milliseconds away.
const bucket = Object.getPrototypeOf(MODELS);
const delay = Number(Reflect.get(env, 'R2_DELAY') ?? 0);
if (delay > 0) {
  const { get } = bucket;
  /** @param {unknown[]} args */
  bucket.get = async function (...args) {
    await scheduler.wait(delay);
    return get.apply(this, args);
  };
}
record(bucket, 'storage', ['get', 'head'], (object) => {
  reads++;
  for (let proto = object && Object.getPrototypeOf(object); proto && proto !== Object.prototype; ) {
    if (!known.has(proto)) record(proto, 'storage', ['arrayBuffer', 'text', 'json', 'bytes']);
    known.add(proto);
    proto = Object.getPrototypeOf(proto);
  }
});
record(Object.getPrototypeOf(crypto.subtle), 'verification', ['digest', 'verify', 'importKey']);
record(ReadableStreamBYOBReader.prototype, 'storage', ['readAtLeast']);
record(WritableStreamDefaultWriter.prototype, 'verification', ['write']);
record(InferenceSession, 'session', ['create'], (session) => {
  if (session) record(session, 'run', ['run']);
});
