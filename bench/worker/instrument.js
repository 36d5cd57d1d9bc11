/**
 * Counts the bytes of every wasm memory there is, from the first one on: import this before anything that makes one.
 * Memories that nobody uses any more count until the garbage collector has taken them. Nothing here holds a decoder's
 * memory, not even weakly: within one turn a weak reference would keep it from being collected.
 */

/** @typedef {'onnxruntime' | 'photon' | 'jpeg' | 'webp'} Kind */

/** One that stays says its size itself; a decoder's is noted after each call. @typedef {{ kind: Kind, bytes: () => number }} Entry */

/** @type {Set<Entry>} */
const known = new Set();

/** @type {FinalizationRegistry<Entry>} */
const collected = new FinalizationRegistry((entry) => known.delete(entry));

/** @returns {{ all: number, inUse: number, parts: Record<string, number> }} */
function bytesNow() {
  let all = 0;
  /** The newest of a kind is the one in use; it may be idle. @type {Record<string, number>} */
  const parts = {};
  for (const { kind, bytes } of known) {
    parts[kind] = bytes();
    all += bytes();
  }
  const inUse = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return { all, inUse, parts };
}

let peak = bytesNow();
let peakInUse = peak;

/** Looks at all memories now. */
export function sample() {
  const now = bytesNow();
  if (now.all > peak.all) peak = now;
  if (now.inUse > peakInUse.inUse) peakInUse = now;
}

/** The largest sums since `reset`, with and without what waits for the garbage collector. */
export function peaks() {
  sample();
  return { all: peak.all, inUse: peakInUse.inUse, parts: peakInUse.parts };
}

export function reset() {
  peak = bytesNow();
  peakInUse = peak;
}

/** @param {WebAssembly.Exports} exports @returns {Kind} */
function kindOf(exports) {
  if ('tjDecompress2' in exports) return 'jpeg';
  if ('WebPDecodeRGBA' in exports) return 'webp';
  return Object.keys(exports).some((name) => name.includes('photonimage')) ? 'photon' : 'onnxruntime';
}

/** @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} imports @returns {WebAssembly.Memory} */
function memoryOf({ exports }, imports) {
  const values = [
    ...Object.values(imports).flatMap((each) => Object.values(each)),
    ...Object.values(exports),
  ];
  for (const value of values) if (value instanceof WebAssembly.Memory) return value;
  throw new Error('a wasm instance without memory');
}

/** @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} imports */
function addLasting(instance, imports) {
  const memory = memoryOf(instance, imports);
  known.add({ kind: kindOf(instance.exports), bytes: () => memory.buffer.byteLength });
  sample();
}

/**
 * The same exports, but after each call the size of the memory is noted.
 *
 * @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} imports
 */
function addDecoder(instance, imports) {
  const { exports } = instance;
  const memory = memoryOf(instance, imports);
  const noted = { bytes: memory.buffer.byteLength };
  const entry = entryOf(kindOf(exports), noted);
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
        noted.bytes = memory.buffer.byteLength;
        sample();
      }
    };
    return [name, call];
  });
  return { exports: Object.fromEntries(wrapped) };
}

/** Apart, so that it closes over nothing else. @param {Kind} kind @param {{ bytes: number }} noted @returns {Entry} */
function entryOf(kind, noted) {
  return { kind, bytes: () => noted.bytes };
}

const { Instance, instantiate } = WebAssembly;

WebAssembly.Instance = new Proxy(Instance, {
  /** @param {[WebAssembly.Module, WebAssembly.Imports?]} args */
  construct(target, args) {
    const instance = new target(...args);
    const imports = args[1] ?? {};
    const kind = kindOf(instance.exports);
    if (kind === 'jpeg' || kind === 'webp') return addDecoder(instance, imports);
    addLasting(instance, imports);
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
