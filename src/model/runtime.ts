import ortModule from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import * as ort from 'onnxruntime-web/wasm';

/** ONNX Runtime's linear memory, known once it has started. It grows and never shrinks. */
let memory: WebAssembly.Memory | undefined;

// One thread: an isolate has no others.
ort.env.wasm.numThreads = 1;
// Any bytes will do: they keep ONNX Runtime from fetching its wasm. What is run is `ortModule`, below.
ort.env.wasm.wasmBinary = new Uint8Array(1).buffer;
ort.env.logLevel = 'error';

/**
 * The smallest model there is, in ONNX: one number that goes through an `Identity`. ONNX Runtime has no call that only
 * starts it; creating a first session does.
 */
const IDENTITY = 'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

/**
 * ONNX Runtime starts while the Worker's modules are evaluated, which the platform does ahead of an isolate's first
 * request. No input or output is allowed there, and none is needed: all it waits for is promises.
 */
const started = withImportedWasm(async () => {
  const session = await create(Uint8Array.from(atob(IDENTITY), (char) => char.charCodeAt(0)));
  await session.release();
});
// A failure is told to whoever wants a session.
started.catch(() => {});

/**
 * An inference session over the model, on ONNX Runtime's CPU provider in wasm.
 *
 * @throws {Error} ONNX Runtime refuses the model
 */
export async function createSession(onnx: Uint8Array): Promise<ort.InferenceSession> {
  await started;
  return create(onnx);
}

/** Bytes of ONNX Runtime's wasm memory. */
export function runtimeBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

function create(onnx: Uint8Array): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(onnx, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
}

/**
 * Workers may not compile wasm at run time, only import it compiled; ONNX Runtime knows only how to compile.
 * So while it starts, and no longer, `WebAssembly.instantiate` hands it the module that was imported.
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
