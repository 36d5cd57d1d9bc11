import ortModule from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import * as ort from 'onnxruntime-web/wasm';

const compileAndInstantiate = WebAssembly.instantiate;

/** ONNX Runtime's linear memory, known once it has started. It grows and never shrinks. */
let memory: WebAssembly.Memory | undefined;

// One thread: an isolate has no others.
ort.env.wasm.numThreads = 1;
// Any bytes will do: they keep ONNX Runtime from fetching its wasm. What is run is `ortModule`, below.
ort.env.wasm.wasmBinary = new Uint8Array(1).buffer;
ort.env.logLevel = 'error';

/**
 * An inference session over the model, on ONNX Runtime's CPU provider in wasm.
 *
 * @throws {Error} ONNX Runtime refuses the model
 */
export async function createSession(onnx: Uint8Array): Promise<ort.InferenceSession> {
  return withImportedWasm(() =>
    ort.InferenceSession.create(onnx, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }),
  );
}

/** Bytes of ONNX Runtime's wasm memory; 0 before its first session. */
export function runtimeBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

/**
 * Workers may not compile wasm at run time, only import it compiled; ONNX Runtime knows only how to compile.
 * So while it starts, and no longer, `WebAssembly.instantiate` hands it the module that was imported.
 */
async function withImportedWasm<T>(start: () => Promise<T>): Promise<T> {
  if (memory) return start();
  const instantiateImported = async (_bytes: unknown, imports: WebAssembly.Imports) => {
    const instance = await compileAndInstantiate(ortModule, imports);
    memory = memoryOf(imports, instance);
    return { module: ortModule, instance };
  };
  try {
    Object.assign(WebAssembly, { instantiate: instantiateImported });
    return await start();
  } finally {
    Object.assign(WebAssembly, { instantiate: compileAndInstantiate });
  }
}

function memoryOf(imports: WebAssembly.Imports, instance: WebAssembly.Instance): WebAssembly.Memory {
  const values = [...Object.values(imports).flatMap(Object.values), ...Object.values(instance.exports)];
  const found = values.find((value) => value instanceof WebAssembly.Memory);
  if (!found) throw new Error('ONNX Runtime has no linear memory');
  return found;
}
