import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { median, percentile } from '../statistics.ts';
import { table } from '../table.ts';
import { reporter } from './report.ts';

const GOAL = 1.15;

const VARIANTS = {
  all: { title: 'as it is: signature, digests, self-test', short: 'all checks', colour: COLOURS.blue },
  'self-test': { title: 'self-test only', short: 'self-test only', colour: COLOURS.sky },
  none: { title: 'neither', short: 'no checks', colour: COLOURS.grey },
} as const;

export type Variant = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as Variant[];

const Times = z.array(z.number());

const Cold = z.object({
  runs: z.number(),
  /** Of each run, in order, so that those of one round can be compared. */
  milliseconds: z.object({ all: Times, 'self-test': Times, none: Times }),
});

export const cold = reporter(Cold, ({ runs, milliseconds: times }) => {
  const medians = {
    all: median(times.all),
    'self-test': median(times['self-test']),
    none: median(times.none),
  };
  // Each round's own difference: what slows a whole round down cancels out.
  const paired = (one: Variant, other: Variant) =>
    median(times[one].map((value, i) => value - (times[other][i] ?? Number.NaN)));
  const ratio = (medians.all / medians['self-test']).toFixed(3);
  const verification = paired('all', 'self-test').toFixed(0);
  const selfTest = paired('self-test', 'none').toFixed(0);
  const rows = VARIANT_NAMES.map((name) => [
    VARIANTS[name].title,
    medians[name].toFixed(0),
    percentile(times[name], 0.95).toFixed(0),
    (medians[name] / medians.none).toFixed(3),
  ]);
  const note = `Verification makes the first answer ${ratio} times as long (goal: below ${GOAL}): ${verification} ms more in the median of the rounds; the self-test takes ${selfTest} ms. ${runs} fresh processes each.`;
  return {
    tables: [table(['first answer of an isolate', 'median, ms', 'p95, ms', 'ratio'], rows), note],
    figures: { 'process-ms': medians.all.toFixed(0), 'verification-ratio': ratio },
    charts: {
      cold: {
        title: 'First answer of a new isolate',
        subtitle:
          'median, from the first request a fresh workerd gets to its answer; the model comes from local R2',
        unit: 'ms',
        legend: [],
        groups: VARIANT_NAMES.map((name) => ({
          label: VARIANTS[name].short,
          bars: [
            { label: VARIANTS[name].title, parts: [{ value: medians[name], colour: VARIANTS[name].colour }] },
          ],
        })),
      },
    },
  };
});
