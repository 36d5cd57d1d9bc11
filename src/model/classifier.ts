import * as ort from 'onnxruntime-web/wasm';
import { ModelUntrusted } from '../errors.ts';
import { isBinary, type Manifest } from './manifest.ts';
import { answeredPlane, failedProbes, type Outputs } from './probes.ts';
import { createSession } from './runtime.ts';
import type { VerifiedModel } from './verification.ts';

export interface LabelScore {
  readonly label: string;
  /** Probability, 0 to 1, six decimals. */
  readonly score: number;
}

/** Which parts of the photo speak for a label. */
export interface Heatmap {
  readonly rows: number;
  readonly columns: number;
  /**
   * Row by row, `rows * columns` of them, 0 to 1, four decimals: how much this part of the photo speaks for the
   * first label (binary, whatever the answer is) or for the answer (else). See convert/heatmap.py.
   */
  readonly values: readonly number[];
}

export interface Classification {
  readonly label: string;
  /** Binary: the probability of the first label. Else that of the most probable one. */
  readonly score: number;
  /** Binary: `label` is the first one when `score` is above it. Else null. */
  readonly threshold: number | null;
  /** One for each label, the most probable first. */
  readonly scores: readonly LabelScore[];
  /** Only where it was asked for; null when the model has none. */
  readonly heatmap?: Heatmap | null;
}

export interface ClassifyOptions {
  /** Whether the heat map is wanted as well. It comes out of the same run. */
  readonly heatmap?: boolean;
}

/** A verified model, ready to score. */
export interface Classifier {
  readonly version: string;
  readonly manifest: Manifest;
  /** SHA-256 of the public key that has signed it, 64 hex digits. */
  readonly signer: string;
  readonly verifiedAt: Date;
  /**
   * Scores one input: float32 NHWC, height * width * 3 values in [0, 1].
   *
   * @throws {ClassifierReleased} another version has taken its place
   */
  classify(input: Float32Array, options?: ClassifyOptions): Promise<Classification>;
  /** @throws {ModelUntrusted} it answers a probe of its manifest with something else than is expected */
  selfTest(): Promise<void>;
  /** Gives its memory back to ONNX Runtime, once the run that is under way has ended. */
  release(): Promise<void>;
}

/** The classifier was exchanged for another between being asked for and being used: ask again. */
export class ClassifierReleased extends Error {}

/**
 * Starts a session over the model and tries it on the manifest's probes: a file can be the one that was published
 * and still not behave as it did when it was converted.
 *
 * @throws {ModelUntrusted} ONNX Runtime refuses the file, its input and output are not the manifest's, or it
 *   answers a probe with something else than is expected
 */
export async function createClassifier(model: VerifiedModel): Promise<Classifier> {
  const { version, manifest, signer } = model;
  const session = await startSession(model.onnx);
  let released = false;
  let running: Promise<unknown> = Promise.resolve();
  const release = async () => {
    released = true;
    await running;
    await session.release();
  };
  try {
    const network = networkOf(session, manifest);
    const run = (input: Float32Array, withHeatmap: boolean) => {
      if (released) throw new ClassifierReleased();
      const outputs = network(input, withHeatmap);
      // Its value is of no use, and would hold the values of all runs before it.
      running = Promise.allSettled([running, outputs]).then(() => undefined);
      return outputs;
    };
    const selfTest = async () => {
      const failed = await failedProbes(manifest, run);
      if (failed.length === 0) return;
      throw new ModelUntrusted('The model does not behave as its manifest says.', {
        cause: `probes that failed: ${failed.join(', ')}`,
      });
    };
    await selfTest();
    const classify = async (input: Float32Array, { heatmap = false }: ClassifyOptions = {}) => {
      const outputs = await run(input, heatmap);
      const classification = classificationOf(manifest, outputs.scores);
      return heatmap ? { ...classification, heatmap: heatmapOf(manifest, outputs) } : classification;
    };
    return { version, manifest, signer, verifiedAt: new Date(), classify, selfTest, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function startSession(onnx: Uint8Array): Promise<ort.InferenceSession> {
  try {
    return await createSession(onnx);
  } catch (cause) {
    throw new ModelUntrusted('The model cannot be run.', { cause });
  }
}

/**
 * The network as a function from one input to its outputs, float32 all. ONNX Runtime computes outputs that nobody
 * fetches too; where no heat map is wanted, the graph's second input says that it be one of no photo.
 */
function networkOf(session: ort.InferenceSession, { input, output, heatmap }: Manifest) {
  const inputs = heatmap ? [input.name, heatmap.input] : [input.name];
  const outputs = heatmap ? [output.name, heatmap.output] : [output.name];
  const { inputNames, outputNames } = session;
  if (inputNames.join() !== inputs.join() || !outputs.every((name) => outputNames.includes(name))) {
    throw new ModelUntrusted('The model has other inputs or outputs than its manifest says.');
  }
  const dims = [1, input.height, input.width, 3];
  const cells = heatmap && [1, heatmap.rows, heatmap.columns, ...(output.size > 1 ? [output.size] : [])];
  return async (data: Float32Array, withHeatmap: boolean): Promise<Outputs> => {
    const feeds: Record<string, ort.Tensor> = { [input.name]: new ort.Tensor('float32', data, dims) };
    if (heatmap) feeds[heatmap.input] = new ort.Tensor('int64', BigInt64Array.of(withHeatmap ? 1n : 0n), [1]);
    const results = await session.run(feeds, withHeatmap ? outputs : [output.name]);
    const read = (name: string, shape: readonly number[]) => {
      const result = results[name];
      if (!(result?.data instanceof Float32Array) || result.dims.join() !== shape.join()) {
        throw new ModelUntrusted('The model answers in another shape than its manifest says.');
      }
      return result.data;
    };
    const scores = read(output.name, [1, output.size]);
    return heatmap && cells && withHeatmap ? { scores, heatmap: read(heatmap.output, cells) } : { scores };
  };
}

/** What the network's probabilities (one from a sigmoid, or one for each label from a softmax) mean. */
export function classificationOf(manifest: Manifest, outputs: ArrayLike<number>): Classification {
  const { labels, threshold } = manifest;
  const [first = 0] = Array.from(outputs, sixDecimals);
  const values = isBinary(manifest) ? [first, sixDecimals(1 - first)] : Array.from(outputs, sixDecimals);
  const unsorted = labels.map((label, index) => ({ label, score: values[index] ?? 0 }));
  const scores = unsorted.toSorted((a, b) => b.score - a.score);
  const decided = threshold === null ? scores[0] : unsorted[first > threshold ? 0 : 1];
  if (!decided) throw new Error('a manifest without labels');
  const score = threshold === null ? decided.score : first;
  return { label: decided.label, score, threshold, scores };
}

/** The heat map of the outputs as it is told; null when the model has none. */
function heatmapOf(manifest: Manifest, { scores, heatmap }: Outputs): Heatmap | null {
  if (!manifest.heatmap || !heatmap) return null;
  const { rows, columns } = manifest.heatmap;
  return { rows, columns, values: Array.from(answeredPlane(scores, heatmap), fourDecimals) };
}

const fourDecimals = (value: number): number => Math.round(value * 1e4) / 1e4;
const sixDecimals = (value: number): number => Math.round(value * 1e6) / 1e6;
