/**
 * Notes what a new isolate does until its first answer, at the borders that it shares with the platform and with ONNX
 * Runtime, not inside of it: import this before anything that takes hold of them. The local workerd's clock goes on
 * during work, in whole milliseconds; Cloudflare's does not.
 */
import { InferenceSession } from 'onnxruntime-web/wasm';

/** @typedef {'storage' | 'verification' | 'session' | 'run'} Kind */

/** Milliseconds since the epoch. @typedef {{ kind: Kind, from: number, to: number }} Span */

/** @type {Span[]} */
const spans = [];

/** Reads that R2 would charge for. */
let reads = 0;

/** When the first request came; before that, the clock stands still. */
let began = 0;

/** To be called as a request comes. */
export function begin() {
  began ||= Date.now();
}

/** What was done for requests: work that began before the first one counts from there. */
export function noted() {
  const clamped = spans.map(({ kind, from, to }) => ({
    kind,
    from: Math.max(from, began),
    to: Math.max(to, began),
  }));
  return { spans: clamped, reads };
}

/**
 * @template T
 * @param {Kind} kind
 * @param {() => Promise<T>} work
 */
async function timed(kind, work) {
  const from = Date.now();
  try {
    return await work();
  } finally {
    spans.push({ kind, from, to: Date.now() });
  }
}

/** The same object, but some of its methods are timed. @template {object} T @param {T} target @param {Record<string, Kind>} methods @param {(result: unknown) => unknown} [seen] @returns {T} */
function watched(target, methods, seen = (result) => result) {
  return new Proxy(target, {
    get(object, property) {
      const value = Reflect.get(object, property, object);
      if (typeof value !== 'function') return value;
      const kind = Object.hasOwn(methods, property) ? methods[String(property)] : undefined;
      if (kind === undefined) return value.bind(object);
      /** @param {unknown[]} args */
      return (...args) => timed(kind, async () => seen(await value.apply(object, args)));
    },
  });
}

/** The bucket, its reads timed up to their last byte. @param {R2Bucket} bucket @returns {R2Bucket} */
export function watchedBucket(bucket) {
  const body = { arrayBuffer: 'storage', text: 'storage', json: 'storage', bytes: 'storage' };
  return watched(bucket, { get: 'storage', head: 'storage' }, (object) => {
    reads++;
    return object
      ? watched(/** @type {object} */ (object), /** @type {Record<string, Kind>} */ (body))
      : object;
  });
}

const { subtle } = crypto;
Object.defineProperty(crypto, 'subtle', {
  value: watched(subtle, { digest: 'verification', verify: 'verification', importKey: 'verification' }),
});

const create = InferenceSession.create.bind(InferenceSession);
Object.assign(InferenceSession, {
  /** @param {Parameters<typeof create>} args */
  create: async (...args) => watched(await timed('session', () => create(...args)), { run: 'run' }),
});
