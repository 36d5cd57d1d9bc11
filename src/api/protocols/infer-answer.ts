import type { Prediction } from '../schemas.ts';
import { DATATYPES, type InferRequest, type OpenInferenceAnswer, OUTPUTS } from './open-inference.ts';

/** An answer in JSON, and the binary outputs that follow it. */
export interface InferAnswer {
  readonly json: OpenInferenceAnswer;
  readonly binary: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * The answer to a request.
 *
 * @param predictions one for each photo; at least one
 */
export function toOpenInference(predictions: readonly Prediction[], request: InferRequest): InferAnswer {
  const [first] = predictions;
  if (!first) throw new Error('an answer without predictions');
  const available = OUTPUTS.filter((name) => name === 'label' || first.scores);
  const wanted = request.outputs ?? available.map((name) => ({ name, binary: request.binary }));
  const binary: Uint8Array<ArrayBuffer>[] = [];
  const outputs = wanted.map(({ name, binary: isBinary }) => {
    const shape = name === 'label' ? [predictions.length] : [predictions.length, first.scores?.length ?? 0];
    const head = { name, datatype: DATATYPES[name], shape };
    const data = { label: predictions.map(({ label }) => label), ...listScores(predictions) }[name];
    if (!isBinary) return { ...head, data };
    const bytes = encodeTensor(data);
    binary.push(bytes);
    return { ...head, parameters: { binary_data_size: bytes.length } };
  });
  const { name, version } = first.model;
  const id = request.id === undefined ? {} : { id: request.id };
  return { json: { model_name: name, model_version: version, ...id, outputs }, binary };
}

function listScores(predictions: readonly Prediction[]) {
  const all = predictions.flatMap(({ scores = [] }) => scores);
  return { classes: all.map(({ label }) => label), scores: all.map(({ score }) => score) };
}

/** Byte strings with their lengths before them, or 32-bit floats; all little-endian. */
function encodeTensor(data: readonly string[] | readonly number[]): Uint8Array<ArrayBuffer> {
  const elements = data.map((value) => {
    const text = typeof value === 'string' ? new TextEncoder().encode(value) : undefined;
    const element = new DataView(new ArrayBuffer(4));
    if (text) element.setUint32(0, text.length, true);
    else element.setFloat32(0, Number(value), true);
    return [new Uint8Array(element.buffer), ...(text ? [text] : [])];
  });
  const parts = elements.flat();
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
