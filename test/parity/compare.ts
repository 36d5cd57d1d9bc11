import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PythonReference, ReferencePhoto } from './reference.ts';

export interface Comparison {
  readonly file: string;
  /** Mean and maximum difference of the RGB tensors, in 1/255. */
  readonly tensorMean: number;
  readonly tensorMax: number;
  /** The scores of Keras and of the Worker. */
  readonly expected: number;
  readonly actual: number;
}

export interface Summary {
  readonly photos: number;
  /** Mean over all photos, and the mean of the worst photo, in 1/255. */
  readonly tensorMean: number;
  readonly tensorWorstMean: number;
  readonly tensorMax: number;
  readonly scoreMean: number;
  readonly scoreMax: number;
  /** Shares of photos that Keras scores above 0.9 and below 0.1. */
  readonly above09: number;
  readonly below01: number;
  /** Files with different verdicts. */
  readonly verdicts: readonly string[];
}

const Prediction = z.object({ score: z.number(), threshold: z.number() });

/** Sends a photo through both implementations. */
export async function comparePhoto(
  worker: string,
  reference: PythonReference,
  photo: ReferencePhoto,
): Promise<Comparison> {
  const { rgb, score: expected } = await reference.predict(photo);
  const body = await readFile(photo.out ?? photo.file);
  const post = async (path: string): Promise<Response> => {
    const response = await fetch(worker + path, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'image/jpeg' },
    });
    if (!response.ok) throw new Error(`${photo.file}: ${response.status} ${await response.text()}`);
    return response;
  };
  const tensor = new Float32Array(await (await post('/parity/tensor')).arrayBuffer());
  if (tensor.length !== rgb.length) throw new Error(`${photo.file}: ${tensor.length} values, not ${rgb.length}`);
  const { score: actual } = Prediction.parse(await (await post('/api/predict')).json());

  const differences = Array.from(tensor, (value, index) => Math.abs(value * 255 - (rgb[index] ?? 0)));
  return {
    file: photo.file,
    tensorMean: mean(differences),
    tensorMax: Math.max(...differences),
    expected,
    actual,
  };
}

export function summarise(comparisons: readonly Comparison[], threshold = 0.5): Summary {
  const scores = comparisons.map(({ expected, actual }) => Math.abs(expected - actual));
  const share = (test: (score: number) => boolean) =>
    comparisons.filter(({ expected }) => test(expected)).length / comparisons.length;
  return {
    photos: comparisons.length,
    tensorMean: mean(comparisons.map(({ tensorMean }) => tensorMean)),
    tensorWorstMean: Math.max(...comparisons.map(({ tensorMean }) => tensorMean)),
    tensorMax: Math.max(...comparisons.map(({ tensorMax }) => tensorMax)),
    scoreMean: mean(scores),
    scoreMax: Math.max(...scores),
    above09: share((score) => score > 0.9),
    below01: share((score) => score < 0.1),
    verdicts: comparisons
      .filter(({ expected, actual }) => expected > threshold !== actual > threshold)
      .map(({ file }) => file),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
