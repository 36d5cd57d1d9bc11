import { COLOURS } from '../chart.ts';
import type { Findings } from '../report.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../run.ts';
import { median, percentile, round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 21;
const GOAL = 1.15;

const VARIANTS = {
  all: { title: 'as it is: signature, digests, self-test', colour: COLOURS.blue },
  'self-test': { title: 'self-test only', colour: COLOURS.sky },
  none: { title: 'neither', colour: COLOURS.grey },
} as const;

type Variant = keyof typeof VARIANTS;
const NAMES = Object.keys(VARIANTS) as Variant[];

/** First request to first answer in a fresh workerd process each time; the variants take turns. */
export async function measureCold({ album, progress, runs = RUNS }: Options): Promise<Findings> {
  const [picture] = await album.pick(['JPEG 800 px']);
  if (!picture) throw new Error('There is no picture.');
  progress.show('cold: bundling');
  const modules = await bundle('bench/worker/cold.js');
  const store = await createStore();
  const times: Record<Variant, number[]> = { all: [], 'self-test': [], none: [] };
  try {
    // One more than asked for: the first of all finds the disk cold.
    for (let run = -1; run < runs; run++) {
      progress.show('cold', `start ${Math.max(0, run + 1)} of ${runs}`);
      for (let i = 0; i < NAMES.length; i++) {
        const variant = NAMES[(i + run + NAMES.length) % NAMES.length] as Variant;
        const workerd = await startWorkerd(modules, store, { vars: { CHECKS: variant } });
        const client = new Client(workerd.url);
        try {
          await workerd.warmBucket();
          const answer = await client.post('/api/predict', picture);
          scoreIn(answer);
          if (run >= 0) times[variant].push(answer.milliseconds);
        } finally {
          client.close();
          await workerd.stop();
        }
      }
    }
  } finally {
    await store.remove();
  }
  return findings(times, runs);
}

function findings(times: Record<Variant, number[]>, runs: number): Findings {
  const medians = { all: 0, 'self-test': 0, none: 0 };
  for (const name of NAMES) medians[name] = median(times[name]);
  // Each round's own difference: what slows a whole round down cancels out.
  const paired = (one: Variant, other: Variant) =>
    median(times[one].map((value, i) => value - (times[other][i] ?? Number.NaN)));
  const verification = paired('all', 'self-test');
  const selfTest = paired('self-test', 'none');
  const ratio = medians.all / medians['self-test'];
  const rows = NAMES.map((name) => [
    VARIANTS[name].title,
    medians[name].toFixed(0),
    percentile(times[name], 0.95).toFixed(0),
    (medians[name] / medians.none).toFixed(3),
  ]);
  const note = `Verification makes the first answer ${ratio.toFixed(3)} times as long (goal: below ${GOAL}): ${verification.toFixed(0)} ms more in the median of the rounds; the self-test takes ${selfTest.toFixed(0)} ms. ${runs} fresh processes each.`;
  return {
    data: {
      runs,
      milliseconds: Object.fromEntries(NAMES.map((name) => [name, times[name].map((each) => round(each))])),
      verificationRatio: round(ratio, 3),
      verificationMilliseconds: round(verification),
      selfTestMilliseconds: round(selfTest),
    },
    tables: [table(['first answer of an isolate', 'median, ms', 'p95, ms', 'ratio'], rows), note],
    charts: {
      cold: {
        title: 'First answer of a new isolate',
        subtitle:
          'median, from the first request a fresh workerd gets to its answer; the model comes from local R2',
        unit: 'ms',
        legend: [],
        groups: NAMES.map((name) => ({
          label: name === 'all' ? 'all checks' : name === 'none' ? 'no checks' : 'self-test only',
          bars: [
            { label: VARIANTS[name].title, parts: [{ value: medians[name], colour: VARIANTS[name].colour }] },
          ],
        })),
      },
    },
  };
}
