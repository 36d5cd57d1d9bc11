/**
 * Counts the bytes of every wasm memory. Import this first. A memory that is garbage counts until it is collected, so
 * nothing here refers to a decoder's memory, not even weakly: within one turn a weak reference would keep it alive.
 */

/** @typedef {'onnxruntime' | 'photon' | 'jpeg' | 'webp'} Kind */

/** @typedef {{ kind: Kind, bytes: () => number }} Entry */

/** @type {Set<Entry>} */
const known = new Set();

/** @type {FinalizationRegistry<Entry>} */
const collected = new FinalizationRegistry((entry) => known.delete(entry));

/** `all` counts garbage too, `inUse` only the newest memory of each kind. */
function count() {
  /** @type {Record<string, number>} */
  const parts = {};
  for (const { kind, bytes } of known) parts[kind] = bytes();
  const sum = (/** @type {number[]} */ values) => values.reduce((total, bytes) => total + bytes, 0);
  return { all: sum([...known].map(({ bytes }) => bytes())), inUse: sum(Object.values(parts)), parts };
}

let peak = count();
let peakInUse = peak;

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

/** @param {WebAssembly.Exports} exports @returns {Kind} */
function kindOf(exports) {
  if ('tjDecompress2' in exports) return 'jpeg';
  if ('WebPDecodeRGBA' in exports) return 'webp';
  return Object.keys(exports).some((name) => name.includes('photonimage')) ? 'photon' : 'onnxruntime';
}

/** @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} [imports] */
function memoryOf({ exports }, imports = {}) {
  const values = [
    ...Object.values(imports).flatMap((each) => Object.values(each)),
    ...Object.values(exports),
  ];
  for (const value of values) if (value instanceof WebAssembly.Memory) return value;
  throw new Error('a wasm instance without memory');
}

/** Counts a memory that stays. @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} [imports] */
function addLasting(instance, imports) {
  const memory = memoryOf(instance, imports);
  known.add({ kind: kindOf(instance.exports), bytes: () => memory.buffer.byteLength });
  sample();
}

/** The decoder's exports, which note the memory's size after each call. @param {WebAssembly.Instance} instance */
function addDecoder({ exports }, /** @type {WebAssembly.Memory} */ memory) {
  const size = { bytes: memory.buffer.byteLength };
  const entry = entryOf(kindOf(exports), size);
  known.add(entry);
  collected.register(memory, entry);
  sample();
  const wrapped = Object.entries(exports).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    /** @param {unknown[]} args */
    const call = (...args) => {
      try {
        return value(...args);
      } finally {
        size.bytes = memory.buffer.byteLength;
        sample();
      }
    };
    return [name, call];
  });
  return { exports: Object.fromEntries(wrapped) };
}

/** A function of its own, so that the entry closes over nothing else. @param {Kind} kind @param {{ bytes: number }} size @returns {Entry} */
function entryOf(kind, size) {
  return { kind, bytes: () => size.bytes };
}

const { Instance, instantiate } = WebAssembly;

WebAssembly.Instance = new Proxy(Instance, {
  /** @param {[WebAssembly.Module, WebAssembly.Imports?]} args */
  construct(target, args) {
    const instance = new target(...args);
    const kind = kindOf(instance.exports);
    if (kind === 'jpeg' || kind === 'webp') return addDecoder(instance, memoryOf(instance, args[1]));
    addLasting(instance, args[1]);
    return instance;
  },
});

Object.assign(WebAssembly, {
  /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} imports */
  async instantiate(module, imports) {
    const instance = await instantiate(module, imports);
    addLasting(instance, imports);
    return instance;
  },
});
