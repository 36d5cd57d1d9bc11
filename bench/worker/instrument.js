/**
 * Counts the bytes of every wasm memory there is, from the first one on: import this before anything that makes one.
 * Memories that nobody uses any more count until the garbage collector has taken them, as they do on the platform.
 */

/** @typedef {'onnxruntime' | 'photon' | 'jpeg' | 'webp'} Kind */

/** @type {{ kind: Kind, memory: WeakRef<WebAssembly.Memory> }[]} */
let known = [];

/** @returns {{ all: number, inUse: number, parts: Record<string, number> }} */
function bytesNow() {
  let all = 0;
  /** The newest of a kind is the one in use; it may be idle. @type {Record<string, number>} */
  const parts = {};
  known = known.filter(({ kind, memory }) => {
    const bytes = memory.deref()?.buffer.byteLength;
    if (bytes === undefined) return false;
    all += bytes;
    parts[kind] = bytes;
    return true;
  });
  const inUse = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return { all, inUse, parts };
}

let peak = bytesNow();
let peakInUse = bytesNow();

/** Looks at all memories now. Since a memory never shrinks, looking when its work is done shows its peak. */
export function sample() {
  const now = bytesNow();
  if (now.all > peak.all) peak = now;
  if (now.inUse > peakInUse.inUse) peakInUse = now;
  return now;
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

/** @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} imports */
function register({ exports }, imports) {
  const values = [
    ...Object.values(imports).flatMap((each) => Object.values(each)),
    ...Object.values(exports),
  ];
  for (const value of values) {
    if (!(value instanceof WebAssembly.Memory)) continue;
    sample();
    known.push({ kind: kindOf(exports), memory: new WeakRef(value) });
    // Decoding happens in this turn, so when it is over the memory has its final size and is still there.
    queueMicrotask(sample);
  }
}

const { Instance, instantiate } = WebAssembly;

WebAssembly.Instance = new Proxy(Instance, {
  /** @param {[WebAssembly.Module, WebAssembly.Imports?]} args */
  construct(target, args) {
    const instance = new target(...args);
    register(instance, args[1] ?? {});
    return instance;
  },
});

Object.assign(WebAssembly, {
  /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} imports */
  async instantiate(module, imports) {
    const instance = await instantiate(module, imports);
    register(instance, imports);
    return instance;
  },
});
