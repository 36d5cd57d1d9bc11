/**
 * Counts the bytes of every wasm memory. Import this first. A memory that is garbage counts until it is collected, so
 * nothing here refers to a decoder's memory, not even weakly: within one turn a weak reference would keep it alive.
 */

const DECODERS = ['jpeg', 'webp', 'heif'];

/** Only a memory that stays is referred to. @typedef {{ kind: string, bytes: number, memory?: WebAssembly.Memory }} Entry */

/** @type {Set<Entry>} */
const known = new Set();

/** @type {FinalizationRegistry<Entry>} */
const collected = new FinalizationRegistry((entry) => known.delete(entry));

/** `all` counts garbage too, `inUse` only the newest memory of each kind. */
function count() {
  /** @type {Record<string, number>} */
  const parts = {};
  let all = 0;
  for (const { kind, bytes, memory } of known) {
    parts[kind] = memory?.buffer.byteLength ?? bytes;
    all += parts[kind];
  }
  return { all, inUse: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0), parts };
}

let peak = count();
let peakInUse = peak;

/** Bytes of the memories in use now. */
export const bytesInUse = () => count().inUse;

/** Bytes of the memories in use now, without the decoders', which leases cover. */
export function outsideLeases() {
  const { parts, inUse } = count();
  return DECODERS.reduce((sum, kind) => sum - (parts[kind] ?? 0), inUse);
}

/** Counts all memories now. */
export function sample() {
  const now = count();
  if (now.all > peak.all) peak = now;
  if (now.inUse > peakInUse.inUse) peakInUse = now;
}

/** The largest sums since `reset`. */
export function peaks() {
  sample();
  return { all: peak.all, inUse: peakInUse.inUse, parts: peakInUse.parts };
}

export function reset() {
  peak = count();
  peakInUse = peak;
}

/** @param {WebAssembly.Exports} exports */
function kindOf(exports) {
  if ('tjDecompress2' in exports) return 'jpeg';
  if ('WebPDecodeRGBA' in exports) return 'webp';
  if (Object.keys(exports).some((name) => name.includes('photonimage'))) return 'photon';
  // The other modules have minified names; ONNX Runtime is the one that starts with the Worker.
  return [...known].some((entry) => entry.kind === 'onnxruntime') ? 'heif' : 'onnxruntime';
}

/** @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} [imports] */
function memoryOf({ exports }, imports = {}) {
  const values = [...Object.values(imports).flatMap((each) => Object.values(each)), ...Object.values(exports)];
  for (const value of values) if (value instanceof WebAssembly.Memory) return value;
  throw new Error('a wasm instance without memory');
}

/**
 * Counts an instance. A decoder gets exports that note the size of its memory after each call.
 *
 * @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} [imports] @returns {WebAssembly.Instance}
 */
function add(instance, imports) {
  const kind = kindOf(instance.exports);
  const memory = memoryOf(instance, imports);
  const isDecoder = DECODERS.includes(kind);
  /** @type {Entry} */
  const entry = { kind, bytes: memory.buffer.byteLength, ...(isDecoder ? {} : { memory }) };
  known.add(entry);
  sample();
  if (!isDecoder) return instance;
  collected.register(memory, entry);
  const wrapped = Object.entries(instance.exports).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    /** @param {unknown[]} args */
    const call = (...args) => {
      try {
        return value(...args);
      } finally {
        entry.bytes = memory.buffer.byteLength;
        sample();
      }
    };
    return [name, call];
  });
  return { exports: Object.fromEntries(wrapped) };
}

const { Instance, instantiate } = WebAssembly;

WebAssembly.Instance = new Proxy(Instance, {
  /** @param {[WebAssembly.Module, WebAssembly.Imports?]} args */
  construct: (target, args) => add(new target(...args), args[1]),
});

Object.assign(WebAssembly, {
  /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} imports */
  instantiate: async (module, imports) => add(await instantiate(module, imports), imports),
});
