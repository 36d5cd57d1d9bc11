import * as ort from 'onnxruntime-web/wasm';

/** What a session is created from. */
export interface Network {
  readonly graph: Uint8Array;
  /** The tensors that the graph refers to, as float32; undefined if the graph contains them. */
  readonly weights?: Uint8Array<ArrayBuffer> | undefined;
}

/** ONNX Runtime, with the CPU provider in wasm. */
export interface Runtime {
  /** The size of its wasm memory, which never shrinks. */
  readonly bytes: number;
  /**
   * Creates an inference session. Frees `weights`, unless they share a buffer, as soon as ONNX Runtime has copied them.
   *
   * @throws {Error} ONNX Runtime refuses the network
   */
  createSession(network: Network): Promise<ort.InferenceSession>;
}

// An isolate has one thread.
ort.env.wasm.numThreads = 1;
// Any bytes keep ONNX Runtime from fetching its wasm: `withModule` supplies the module.
ort.env.wasm.wasmBinary = new Uint8Array(1).buffer;
ort.env.logLevel = 'error';

/** The smallest ONNX model, an `Identity` of one number. Creating a session is the only way to start ONNX Runtime. */
const IDENTITY = 'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

/** How often Emscripten asks for more memory before it gives up. */
const GROW_ATTEMPTS = 3;

/** The path of the weights in the graph's references. */
const WEIGHTS_FILE = 'weights.bin';

/**
 * Starts ONNX Runtime, which needs no I/O. It can start only once.
 *
 * @param wasm onnxruntime-web/ort-wasm-simd-threaded.wasm, compiled
 */
export function startRuntime(wasm: WebAssembly.Module): Runtime {
  let memory: WebAssembly.Memory | undefined;
  const remember = (found: WebAssembly.Memory) => {
    memory = found;
  };
  const started = withModule(wasm, remember, async () => {
    const session = await create({ graph: Uint8Array.from(atob(IDENTITY), (char) => char.charCodeAt(0)) });
    await session.release();
  });
  // `createSession` reports a failure.
  started.catch(() => {});
  return {
    get bytes() {
      return memory?.buffer.byteLength ?? 0;
    },
    async createSession(network) {
      await started;
      try {
        return await create(network);
      } finally {
        const { weights } = network;
        if (weights && weights.byteLength === weights.buffer.byteLength) weights.buffer.transfer(0);
      }
    },
  };
}

function create({ graph, weights }: Network): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(graph, {
    executionProviders: ['wasm'],
    // A graph with its weights beside it was optimised when it was converted.
    graphOptimizationLevel: weights ? 'disabled' : 'all',
    externalData: weights ? [{ path: WEIGHTS_FILE, data: weights }] : [],
  });
}

/**
 * Workers can import compiled wasm but not compile it at run time, and ONNX Runtime can only compile. So
 * `WebAssembly.instantiate` returns the given module, but only while ONNX Runtime starts.
 *
 * @param remember receives ONNX Runtime's linear memory
 */
async function withModule(
  module: WebAssembly.Module,
  remember: (memory: WebAssembly.Memory) => void,
  start: () => Promise<void>,
): Promise<void> {
  const { instantiate } = WebAssembly;
  const instantiateModule = async (_bytes: unknown, imports: WebAssembly.Imports) => {
    const instance = new WebAssembly.Instance(module, imports);
    const memory = memoryOf(imports, instance);
    growSparingly(memory);
    remember(memory);
    return { module, instance };
  };
  try {
    Object.assign(WebAssembly, { instantiate: instantiateModule });
    await start();
  } finally {
    Object.assign(WebAssembly, { instantiate });
  }
}

function memoryOf(imports: WebAssembly.Imports, instance: WebAssembly.Instance): WebAssembly.Memory {
  const values = [...Object.values(imports).flatMap(Object.values), ...Object.values(instance.exports)];
  const found = values.find((value) => value instanceof WebAssembly.Memory);
  if (!found) throw new Error('ONNX Runtime has no linear memory');
  return found;
}

/**
 * Emscripten asks for a fifth more than it needs, then for a tenth, then for a twentieth, until `grow` succeeds. Memory never
 * shrinks and growing it copies nothing, so only the last is granted.
 *
 * @see https://github.com/emscripten-core/emscripten/blob/main/src/lib/libcore.js `emscripten_resize_heap`
 */
function growSparingly(memory: WebAssembly.Memory): void {
  const grow = memory.grow.bind(memory);
  let attempt = 0;
  memory.grow = (pages) => {
    attempt = (attempt + 1) % GROW_ATTEMPTS;
    if (attempt > 0) throw new RangeError('less will do');
    return grow(pages);
  };
}
