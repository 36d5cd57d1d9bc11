import * as z from 'zod';
import { table } from '../table.ts';
import { reporter, verdict } from './report.ts';

const GOAL = 2_000;
const SHOWN = 12;

const Slowest = z.object({
  seed: z.number(),
  /** How many files got which answer. */
  statuses: z.record(z.string(), z.number()),
  medianMilliseconds: z.number(),
  /** The slowest first. */
  slowest: z.array(
    z.object({ kind: z.string(), bytes: z.number(), status: z.number(), milliseconds: z.number() }),
  ),
});

export const slowest = reporter(Slowest, ({ seed, statuses, medianMilliseconds, slowest }) => {
  const [worst] = slowest;
  const files = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const counts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  const note = `${files} files (seed ${seed}): ${counts.join(', ')}. The slowest: ${worst?.milliseconds.toFixed(0)} ms, ${worst?.kind}; the goal of at most ${GOAL} is ${verdict((worst?.milliseconds ?? 0) <= GOAL)}. The median: ${medianMilliseconds.toFixed(1)} ms.`;
  const shown = slowest
    .slice(0, SHOWN)
    .map(({ kind, bytes, status, milliseconds }) => [
      kind,
      (bytes / 1e6).toFixed(2),
      String(status),
      milliseconds.toFixed(0),
    ]);
  return {
    tables: [table(['slowest files', 'MB', 'answer', 'ms'], shown), note],
    figures: { 'worst-ms': worst?.milliseconds.toFixed(0) ?? '-' },
    charts: {},
  };
});
