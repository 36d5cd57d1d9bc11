import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { median, percentile } from '../statistics.ts';
import { table } from '../table.ts';
import { reporter, verdict } from './report.ts';

const GOAL = 1.15;
/** Milliseconds of a new isolate's first answer, on a quiet machine. */
const ANSWER_GOAL = 200;

const VARIANTS = {
  all: { title: 'as it is: signature, digests, self-test', short: 'all checks', colour: COLOURS.blue },
  'self-test': { title: 'self-test only', short: 'self-test only', colour: COLOURS.sky },
  none: { title: 'neither', short: 'no checks', colour: COLOURS.grey },
} as const;

export type Variant = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as Variant[];

/** What an isolate does until it answers for the first time, in order. */
const PARTS = {
  storage: { title: 'files of the model from R2', colour: COLOURS.sky },
  verification: { title: 'digests, signature', colour: COLOURS.green },
  session: { title: 'ONNX Runtime and its session', colour: COLOURS.blue },
  selfTest: { title: 'self-test', colour: COLOURS.orange },
  run: { title: 'inference of the photo', colour: COLOURS.vermilion },
  rest: { title: 'the photo, and all else', colour: COLOURS.grey },
} as const;

export const PART_NAMES = Object.keys(PARTS) as (keyof typeof PARTS)[];

/** Milliseconds of each part, and of the whole answer. */
const Parts = z.object({
  storage: z.number(),
  verification: z.number(),
  session: z.number(),
  selfTest: z.number(),
  run: z.number(),
  rest: z.number(),
  answer: z.number(),
});
export type Parts = z.infer<typeof Parts>;

/** Of what runs before the first request. */
const STARTUP_LIMIT = 1000;

const Times = z.array(z.number());

const Cold = z.object({
  runs: z.number(),
  /** Of each run, in order, so that those of one round can be compared. */
  milliseconds: z.object({ all: Times, 'self-test': Times, none: Times }),
  /** Each run as it is: in a new process, and then in a second isolate of the same process. */
  split: z.object({ process: z.array(Parts), isolate: z.array(Parts) }),
  /** CPU time of the Worker's start-up, profiled several times. */
  startupMilliseconds: Times,
});

const ISOLATES = { process: 'in a new process', isolate: 'in a process that has one' } as const;

export const cold = reporter(Cold, ({ runs, milliseconds: times, split, startupMilliseconds }) => {
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
  const partOf = (where: keyof typeof split, name: keyof Parts) =>
    median(split[where].map((parts) => parts[name]));
  const cells = (name: keyof Parts) =>
    (['process', 'isolate'] as const).map((where) => partOf(where, name).toFixed(0));
  const parts = table(
    ['median ms of a new isolate’s first answer', ISOLATES.process, ISOLATES.isolate],
    [...PART_NAMES.map((name) => [PARTS[name].title, ...cells(name)]), ['first answer', ...cells('answer')]],
  );
  const startup = median(startupMilliseconds).toFixed(0);
  const startupNote = `Start-up, which comes before the first request and is not in these times: ${startup} ms of CPU time in the median of ${startupMilliseconds.length} runs of \`wrangler check startup\`; the platform's limit is ${STARTUP_LIMIT}. The goal for the first answer of a new isolate is below ${ANSWER_GOAL} ms: ${verdict(partOf('isolate', 'answer') < ANSWER_GOAL)}.`;
  return {
    tables: [
      table(['first answer of an isolate', 'median, ms', 'p95, ms', 'ratio'], rows),
      note,
      parts,
      startupNote,
    ],
    figures: {
      'process-ms': medians.all.toFixed(0),
      'isolate-ms': partOf('isolate', 'answer').toFixed(0),
      'verification-ratio': ratio,
      'startup-ms': startup,
    },
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
      'cold-parts': {
        title: 'What the first answer of a new isolate is made of',
        subtitle: 'median of each part',
        unit: 'ms',
        legend: Object.values(PARTS).map(({ title, colour }) => ({ label: title, colour })),
        groups: (['process', 'isolate'] as const).map((where) => ({
          label: ISOLATES[where],
          bars: [
            {
              label: ISOLATES[where],
              parts: PART_NAMES.map((name) => ({ value: partOf(where, name), colour: PARTS[name].colour })),
            },
          ],
        })),
      },
    },
  };
});
