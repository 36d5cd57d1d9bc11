import * as z from 'zod';
import { CountedAnswer } from '../src/counted-answer.ts';
import type { Count } from './counts.ts';

const Line = z.object({ answer: CountedAnswer });
/** An event of `wrangler tail --format json`. */
const Event = z.object({ logs: z.array(z.object({ message: z.array(z.unknown()) })) });

/**
 * Reads the counted answers in the output of `wrangler dev`, or of `wrangler tail --format json`, which prints events
 * over many lines with the log's lines as strings. Ignores everything else.
 */
export function* readLog(text: string): Generator<CountedAnswer> {
  for (const line of text.split('\n')) yield* findAnswers(parseJson(line.trim().replace(/,$/, '')));
}

function* findAnswers(value: unknown): Generator<CountedAnswer> {
  if (typeof value === 'string') return yield* findAnswers(parseJson(value));
  const line = Line.safeParse(value);
  if (line.success) yield line.data.answer;
  const event = Event.safeParse(value);
  if (event.success) for (const { message } of event.data.logs) for (const text of message) yield* findAnswers(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Answers that were all kept, as counts. */
export const toCounts = (answers: readonly CountedAnswer[]): readonly Count[] =>
  answers.map((answer) => ({ ...answer, answers: 1, points: 1 }));
