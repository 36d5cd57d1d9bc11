import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import { startRuntime } from './runtime.ts';

/**
 * The isolate's ONNX Runtime. It starts while the platform evaluates the Worker's modules, before the first request.
 */
export const runtime = startRuntime(wasm);
