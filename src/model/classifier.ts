import * as ort from 'onnxruntime-web/wasm';
import { ModelUntrusted } from '../errors.ts';
import { channelCount, isBinary, isIndependent, type Manifest, type Probe } from './manifest.ts';
import { mostDistinctive, type Outputs, runProbes, selectPlane } from './probes.ts';
import type { Network, Runtime } from './runtime.ts';
import type { VerifiedModel } from './verification.ts';
import { widenedBytes, widenWeights } from './weights.ts';

/** How much each part of the photo contributes to a label. */
interface Heatmap {
  readonly rows: number;
  readonly columns: number;
  /**
   * Row by row, `rows * columns` values, 0 to 1, four decimals: the contribution to the first label if the model is
   * binary, otherwise to the most probable label. See convert/heatmap.py.
   */
  readonly values: readonly number[];
}

export interface Classification {
  readonly label: string;
  /** Binary: the probability of the first label. Otherwise that of the most probable one. */
  readonly score: number;
  /**
   * Binary: `label` is the first one if `score` is above this. Independent labels: each applies if its score is above
   * this. Otherwise null.
   */
  readonly threshold: number | null;
  /** Whether each label has a probability of its own, so that several or none may apply. */
  readonly independent: boolean;
  /** One per label, the most probable first: probabilities, 0 to 1, six decimals. */
  readonly scores: readonly { readonly label: string; readonly score: number }[];
  /** Only if requested; null if the model has none. */
  readonly heatmap?: Heatmap | null;
}

/** A verified model, ready to score. */
export interface Classifier {
  readonly version: string;
  readonly manifest: Manifest;
  /** SHA-256 of the public key that signed it, 64 hex digits. */
  readonly signer: string;
  readonly verifiedAt: Date;
  /**
   * Scores one input: float32 NHWC, height * width * channels values in [0, 1].
   *
   * @param withHeatmap whether to compute the heat map in the same run
   * @throws {ClassifierReleased} another version replaced it
   */
  classify(input: Float32Array, withHeatmap?: boolean): Promise<Classification>;
  /**
   * Runs all probes of the manifest.
   *
   * @throws {ModelUntrusted} it fails one
   * @throws {ClassifierReleased} another version replaced it
   */
  selfTest(): Promise<void>;
  /** Returns its memory to ONNX Runtime after the current run. */
  release(): Promise<void>;
}

/** Another classifier replaced this one before it was used: get the classifier again. */
export class ClassifierReleased extends Error {}

/**
 * Creates a session for the model and runs one probe of the manifest: even the file that was published may behave
 * differently here than when it was converted. Consumes the bytes of the model.
 *
 * @throws {ModelUntrusted} ONNX Runtime refuses the network or fails to run it, its inputs or outputs are not the
 *   manifest's, or the probe fails
 */
export async function createClassifier(model: VerifiedModel, runtime: Runtime): Promise<Classifier> {
  const { version, manifest, signer } = model;
  const session = await openSession(model, runtime);
  let released = false;
  let running: Promise<unknown> = Promise.resolve();
  const release = async () => {
    released = true;
    await running;
    await session.release();
  };
  const run = (input: Float32Array, withHeatmap: boolean) => {
    if (released) throw new ClassifierReleased();
    const outputs = session.run(input, withHeatmap);
    // Keep only completion: retaining the result would retain every earlier one.
    running = Promise.allSettled([running, outputs]).then(() => undefined);
    return outputs;
  };
  try {
    await testNetwork([mostDistinctive(manifest.probes)], manifest, run);
    const selfTest = () => testNetwork(manifest.probes, manifest, run);
    const classify = async (input: Float32Array, withHeatmap = false) => {
      const outputs = await run(input, withHeatmap);
      const classification = interpret(manifest, outputs.scores);
      return withHeatmap ? { ...classification, heatmap: readHeatmap(manifest, outputs) } : classification;
    };
    return { version, manifest, signer, verifiedAt: new Date(), classify, selfTest, release };
  } catch (error) {
    // After a trap ONNX Runtime may be unable to release it.
    await release().catch(() => {});
    throw error;
  }
}

/**
 * Runs the probes.
 *
 * @throws {ModelUntrusted} one fails, or the network cannot be run
 * @throws {ClassifierReleased} `run` throws it
 */
export async function testNetwork(probes: readonly Probe[], manifest: Manifest, run: Session['run']): Promise<void> {
  const failed = await runProbes(probes, manifest, run).catch((cause: unknown) => {
    throw cause instanceof ClassifierReleased || cause instanceof ModelUntrusted ? cause : cannotRun(cause);
  });
  if (failed.length === 0) return;
  throw new ModelUntrusted('The model does not behave as its manifest says.', {
    cause: `failed probes: ${failed.join(', ')}`,
  });
}

const cannotRun = (cause: unknown) => new ModelUntrusted('The model cannot be run.', { cause });

/** The network in a session of ONNX Runtime. */
export interface Session {
  /**
   * @param input float32 NHWC, height * width * channels values in [0, 1]
   * @throws {ModelUntrusted} the outputs have other shapes than the manifest names
   * @throws {Error} ONNX Runtime fails
   */
  run(input: Float32Array, withHeatmap: boolean): Promise<Outputs>;
  release(): Promise<void>;
}

/**
 * Creates a session for a model, whose bytes it consumes.
 *
 * @throws {ModelUntrusted} ONNX Runtime refuses the network, or its inputs or outputs are not the manifest's
 */
export async function openSession(
  { manifest, files }: Pick<VerifiedModel, 'manifest' | 'files'>,
  runtime: Runtime,
): Promise<Session> {
  const session = await runtime.createSession(readNetwork({ manifest, files })).catch((cause: unknown) => {
    throw cannotRun(cause);
  });
  const { input, output, heatmap } = manifest;
  const inputs = heatmap ? [input.name, heatmap.input] : [input.name];
  const outputs = heatmap ? [output.name, heatmap.output] : [output.name];
  const { inputNames, outputNames } = session;
  if (inputNames.join() !== inputs.join() || !outputs.every((name) => outputNames.includes(name))) {
    await session.release();
    throw new ModelUntrusted('The model has other inputs or outputs than its manifest names.');
  }
  return { run: bindNetwork(session, manifest), release: () => session.release() };
}

/** What a session of this model is created from. */
export function readNetwork({ manifest, files }: Pick<VerifiedModel, 'manifest' | 'files'>): Network {
  const read = (name: string) => files.get(name)?.bytes ?? new Uint8Array();
  if (manifest.format === 'husky-ai/manifest/1') return { graph: read('model.onnx') };
  const weights = read('weights.bin');
  const isWidened = weights.byteLength === widenedBytes(manifest.weights);
  return { graph: read('graph.onnx'), weights: isWidened ? weights : widenWeights(manifest.weights, weights) };
}

/**
 * The network as a function from one float32 input to its float32 outputs. ONNX Runtime computes even outputs that are
 * not fetched, so the second input turns the heat map off.
 */
function bindNetwork(session: ort.InferenceSession, { input, output, heatmap }: Manifest): Session['run'] {
  const outputs = heatmap ? [output.name, heatmap.output] : [output.name];
  const dims = [1, input.height, input.width, channelCount(input)];
  const cells = heatmap && [1, heatmap.rows, heatmap.columns, ...(output.size > 1 ? [output.size] : [])];
  return async (data, withHeatmap) => {
    const feeds: Record<string, ort.Tensor> = { [input.name]: new ort.Tensor('float32', data, dims) };
    if (heatmap) feeds[heatmap.input] = new ort.Tensor('int64', BigInt64Array.of(withHeatmap ? 1n : 0n), [1]);
    const results = await session.run(feeds, withHeatmap ? outputs : [output.name]);
    const read = (name: string, shape: readonly number[]) => {
      const result = results[name];
      if (!(result?.data instanceof Float32Array) || result.dims.join() !== shape.join()) {
        throw new ModelUntrusted('The model returns another shape than its manifest names.');
      }
      return result.data;
    };
    const scores = read(output.name, [1, output.size]);
    return heatmap && cells && withHeatmap ? { scores, heatmap: read(heatmap.output, cells) } : { scores };
  };
}

/** Interprets the network's probabilities: one for the first of two labels, or one per label. */
function interpret(manifest: Manifest, outputs: ArrayLike<number>): Classification {
  const { labels, threshold } = manifest;
  const [first = 0] = Array.from(outputs, sixDecimals);
  const binary = isBinary(manifest);
  const values = binary ? [first, sixDecimals(1 - first)] : Array.from(outputs, sixDecimals);
  const unsorted = labels.map((label, index) => ({ label, score: values[index] ?? 0 }));
  const scores = unsorted.toSorted((a, b) => b.score - a.score);
  const decided = binary ? unsorted[threshold !== null && first > threshold ? 0 : 1] : scores[0];
  if (!decided) throw new Error('a manifest without labels');
  const score = binary ? first : decided.score;
  return { label: decided.label, score, threshold, independent: isIndependent(manifest), scores };
}

/** The heat map as the API returns it; null if the model has none. */
function readHeatmap(manifest: Manifest, { scores, heatmap }: Outputs): Heatmap | null {
  if (!manifest.heatmap || !heatmap) return null;
  const { rows, columns } = manifest.heatmap;
  return { rows, columns, values: Array.from(selectPlane(scores, heatmap), fourDecimals) };
}

const fourDecimals = (value: number): number => Math.round(value * 1e4) / 1e4;
const sixDecimals = (value: number): number => Math.round(value * 1e6) / 1e6;
