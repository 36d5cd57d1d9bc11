import * as z from 'zod';
import { PROBLEM_CODES } from './api/problems.ts';
import { SIZE_CLASSES } from './size-class.ts';

/** Scores are counted in this many bins of equal width. */
export const BINS = 20;

/**
 * What is counted of an answer: this closed list, and nothing of the photo or its sender. docs/privacy.md explains it,
 * and test/src/counting.test.ts proves it.
 */
export const CountedAnswer = z.strictObject({
  /** The first digits of the model's version; empty if the isolate had none. */
  version: z.string().regex(/^([0-9a-f]{12})?$/),
  role: z.enum(['stable', 'candidate']),
  /** `ok`, or the failure's code. */
  code: z.enum(['ok', ...PROBLEM_CODES]),
  /** One of the model's labels; empty after a failure. */
  label: z.string(),
  /** The photo's format; empty if it is not accepted. */
  format: z.string(),
  /** The photo's size class; empty after a failure. */
  megapixels: z.enum(['', ...SIZE_CLASSES]),
  /** The twentieth that the score is in, from 0; -1 after a failure. */
  score: z
    .number()
    .int()
    .min(-1)
    .max(BINS - 1),
});
export type CountedAnswer = z.infer<typeof CountedAnswer>;

/** The columns of Workers Analytics Engine that hold the fields. The index, its sampling key, is the version too. */
export const COLUMNS = {
  version: 'blob1',
  role: 'blob2',
  code: 'blob3',
  label: 'blob4',
  format: 'blob5',
  megapixels: 'blob6',
  score: 'double1',
} as const satisfies Record<keyof CountedAnswer, string>;

/** The bin of a score. convert/baseline.py counts validation photos in the same way. */
export const toBin = (score: number): number => Math.min(BINS - 1, Math.floor(score * BINS));

/** The answer as a data point of Analytics Engine, in the order of `COLUMNS`. */
export function toDataPoint({ version, role, code, label, format, megapixels, score }: CountedAnswer) {
  return { indexes: [version], blobs: [version, role, code, label, format, megapixels], doubles: [score] };
}
