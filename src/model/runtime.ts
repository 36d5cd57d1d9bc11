import ortModule from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import * as ort from 'onnxruntime-web/wasm';

/** ONNX Runtime's linear memory, known once it has started. It never shrinks. */
let memory: WebAssembly.Memory | undefined;

// An isolate has one thread.
ort.env.wasm.numThreads = 1;
// Any bytes keep ONNX Runtime from fetching its wasm: `withImportedWasm` supplies the module.
ort.env.wasm.wasmBinary = new Uint8Array(1).buffer;
ort.env.logLevel = 'error';

/** The smallest ONNX model, an `Identity` of one number. Creating a session is the only way to start ONNX Runtime. */
const IDENTITY = 'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

/**
 * Starts ONNX Runtime while the platform evaluates the Worker's modules, before the first request. I/O is not allowed
 * there; this needs none.
 */
const started = withImportedWasm(async () => {
  const session = await create(Uint8Array.from(atob(IDENTITY), (char) => char.charCodeAt(0)));
  await session.release();
});
// `createSession` reports a failure.
started.catch(() => {});

/**
 * Creates an inference session for the model, on ONNX Runtime's CPU provider in wasm.
 *
 * @throws {Error} ONNX Runtime refuses the model
 */
export async function createSession(onnx: Uint8Array): Promise<ort.InferenceSession> {
  await started;
  return create(onnx);
}

/** The size of ONNX Runtime's wasm memory in bytes. */
export function runtimeBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

function create(onnx: Uint8Array): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(onnx, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
}

/**
 * Workers can import compiled wasm but not compile it at run time, and ONNX Runtime can only compile. So
 * `WebAssembly.instantiate` returns the imported module, but only while ONNX Runtime starts.
 */
async function withImportedWasm(start: () => Promise<void>): Promise<void> {
  const { instantiate } = WebAssembly;
  const instantiateImported = async (_bytes: unknown, imports: WebAssembly.Imports) => {
    const instance = new WebAssembly.Instance(ortModule, imports);
    memory = memoryOf(imports, instance);
    return { module: ortModule, instance };
  };
  try {
    Object.assign(WebAssembly, { instantiate: instantiateImported });
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
