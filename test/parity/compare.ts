import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PythonReference, ReferencePhoto } from './reference.ts';

export interface Comparison {
  readonly file: string;
  /** Mean and maximum difference of the tensors, in 1/255. */
  readonly tensorMean: number;
  readonly tensorMax: number;
  /** The scores of Keras and of the Worker, in the order of the labels; a binary model has one. */
  readonly expected: readonly number[];
  readonly actual: readonly number[];
}

export interface Summary {
  readonly photos: number;
  /** Mean over all photos, and the mean of the worst photo, in 1/255. */
  readonly tensorMean: number;
  readonly tensorWorstMean: number;
  readonly tensorMax: number;
  /** Of the score of each photo that differs most. */
  readonly scoreMean: number;
  readonly scoreMax: number;
  /** Shares of photos whose first score of Keras is above 0.9 and below 0.1. */
  readonly above09: number;
  readonly below01: number;
  /** Files with different verdicts. */
  readonly verdicts: readonly string[];
}

const Prediction = z.object({ scores: z.array(z.object({ label: z.string(), score: z.number() })) });

/** Sends a photo through both implementations. */
export async function comparePhoto(
  worker: string,
  reference: PythonReference,
  photo: ReferencePhoto,
  labels: readonly string[],
): Promise<Comparison> {
  const { bytes, scores: expected } = await reference.predict(photo);
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
  if (tensor.length !== bytes.length) throw new Error(`${photo.file}: ${tensor.length} values, not ${bytes.length}`);
  const { scores } = Prediction.parse(await (await post('/api/predict')).json());
  const scoreOf = (label: string) => scores.find((each) => each.label === label)?.score ?? Number.NaN;
  const actual = labels.slice(0, expected.length).map(scoreOf);

  const differences = Array.from(tensor, (value, index) => Math.abs(value * 255 - (bytes[index] ?? 0)));
  return {
    file: photo.file,
    tensorMean: mean(differences),
    tensorMax: Math.max(...differences),
    expected,
    actual,
  };
}

/** @param threshold of a binary model or of independent labels; null: the highest score decides */
export function summarise(comparisons: readonly Comparison[], threshold: number | null): Summary {
  const scores = comparisons.map(({ expected, actual }) =>
    Math.max(...expected.map((score, index) => Math.abs(score - (actual[index] ?? Number.NaN)))),
  );
  const share = (test: (score: number) => boolean) =>
    comparisons.filter(({ expected: [first = 0] }) => test(first)).length / comparisons.length;
  const verdict = (all: readonly number[]) =>
    threshold === null ? all.indexOf(Math.max(...all)) : all.map((score) => score > threshold).join();
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
      .filter(({ expected, actual }) => verdict(expected) !== verdict(actual))
      .map(({ file }) => file),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
