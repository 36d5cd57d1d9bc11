import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { table } from '../table.ts';
import { reporter, verdict } from './report.ts';

/** Who answers, in the order of the tables. */
const CONTENDERS = {
  worker: { title: 'Worker', colour: COLOURS.blue },
  native: { title: 'sharp + ORT', colour: COLOURS.green },
  original: { title: 'Pillow + Keras', colour: COLOURS.vermilion },
} as const;

export type LoadContender = keyof typeof CONTENDERS;
export const LOAD_CONTENDERS = Object.keys(CONTENDERS) as [LoadContender, ...LoadContender[]];

const Measured = z.object({
  /** Milliseconds of those that were answered. */
  median: z.number(),
  p95: z.number(),
  p99: z.number(),
  /** By the clock, all processes and the client on the same machine. */
  requestsPerSecond: z.number(),
  /** Of the process, for one request. */
  cpuMilliseconds: z.number(),
  /** How many were turned away: 429 or 503. */
  refused: z.number(),
});
type Measured = z.infer<typeof Measured>;

const Row = z.object({
  picture: z.string(),
  bytes: z.number(),
  /** Requests under way at the same time. */
  concurrency: z.number(),
  results: z.record(z.enum(LOAD_CONTENDERS), Measured),
});
type Row = z.infer<typeof Row>;

const Load = z.object({
  /** Requests for each row and contender. */
  requests: z.number(),
  rows: z.array(Row),
});

/** The phone's photo one at a time, to native code: the goal. */
const GOAL = { picture: 'JPEG 12 MP', concurrency: 1, toNative: 1.5 } as const;

/** What one core would answer that did nothing else. */
const perCore = ({ cpuMilliseconds }: Measured) => 1000 / cpuMilliseconds;

const ratio = ({ results }: Row, over: LoadContender, under: LoadContender) =>
  (results[over].cpuMilliseconds / results[under].cpuMilliseconds).toFixed(2);

const titles = LOAD_CONTENDERS.map((name) => CONTENDERS[name].title);

const rowsWith = (rows: readonly Row[], cells: (row: Row) => readonly string[]) =>
  rows.map((row) => [row.picture, String(row.concurrency), ...cells(row)]);

export const load = reporter(Load, ({ requests, rows }) => {
  const times = table(
    ['median / p95 / p99, ms', 'at once', ...titles],
    rowsWith(rows, ({ results }) =>
      LOAD_CONTENDERS.map((name) => {
        const { median, p95, p99 } = results[name];
        return [median, p95, p99].map((each) => each.toFixed(0)).join(' / ');
      }),
    ),
  );
  const cpu = table(
    ['CPU ms a request', 'at once', ...titles, 'Worker : sharp', 'Pillow : Worker'],
    rowsWith(rows, (row) => [
      ...LOAD_CONTENDERS.map((name) => row.results[name].cpuMilliseconds.toFixed(1)),
      ratio(row, 'worker', 'native'),
      ratio(row, 'original', 'worker'),
    ]),
  );
  const throughput = table(
    ['requests/s: per core / here', 'at once', ...titles],
    rowsWith(rows, ({ results }) =>
      LOAD_CONTENDERS.map(
        (name) => `${perCore(results[name]).toFixed(1)} / ${results[name].requestsPerSecond.toFixed(1)}`,
      ),
    ),
  );
  const refused = rows.flatMap(({ picture, concurrency, results }) =>
    LOAD_CONTENDERS.filter((name) => results[name].refused > 0).map(
      (name) => `${CONTENDERS[name].title}, ${picture}, ${concurrency} at once: ${results[name].refused}`,
    ),
  );
  const note = `${requests} requests each. Per core: 1000 ms divided by the CPU time of a request; here: by the clock. Refused with 429 or 503: ${refused.join('; ') || 'none'}.${goalOf(rows)}`;
  return {
    tables: [times, cpu, throughput, note],
    figures: Object.fromEntries(rows.flatMap(figuresOf)),
    charts: {
      load: {
        title: 'Photos per second and core',
        subtitle: '1000 ms divided by the CPU time of a request, over HTTP, warm; longer is better',
        unit: '/s',
        legend: Object.values(CONTENDERS).map(({ title, colour }) => ({ label: title, colour })),
        groups: rows.map((row) => ({
          label: `${row.picture}, ${row.concurrency} at once`,
          bars: LOAD_CONTENDERS.map((name) => ({
            label: CONTENDERS[name].title,
            parts: [{ value: perCore(row.results[name]), colour: CONTENDERS[name].colour }],
          })),
        })),
      },
    },
  };
});

/** How the goal stands, where its picture was among those sent. */
function goalOf(rows: readonly Row[]): string {
  const row = rows.find(
    ({ picture, concurrency }) => picture === GOAL.picture && concurrency === GOAL.concurrency,
  );
  if (!row) return '';
  const toNative = row.results.worker.median / row.results.native.median;
  return ` The goal for ${GOAL.picture}, one at a time, is ${GOAL.toNative} times sharp's time by the clock: ${toNative.toFixed(2)}, ${verdict(toNative <= GOAL.toNative)}.`;
}

/** Such as `jpeg-12-mp-1-to-native`. */
function figuresOf(row: Row): [string, string][] {
  const name = `${row.picture.toLowerCase().replaceAll(' ', '-')}-${row.concurrency}`;
  const { worker, native, original } = row.results;
  return [
    [`${name}-to-native`, (worker.median / native.median).toFixed(2)],
    [`${name}-original-to-worker`, (original.median / worker.median).toFixed(2)],
    [`${name}-cpu-to-native`, ratio(row, 'worker', 'native')],
    [`${name}-cpu-original-to-worker`, ratio(row, 'original', 'worker')],
    [`${name}-cpu-ms`, worker.cpuMilliseconds.toFixed(0)],
    [`${name}-per-core`, perCore(worker).toFixed(0)],
    [`${name}-median-ms`, worker.median.toFixed(0)],
  ];
}
