import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { table } from '../table.ts';
import { reporter } from './report.ts';

/** Over this an isolate is killed at Cloudflare; the local workerd lets it live. */
const ISOLATE_LIMIT = 128 * 2 ** 20;

/** Who answers, in the order of the tables. */
const CONTENDERS = {
  worker: { title: 'Worker', colour: COLOURS.blue },
  dev: { title: 'in wrangler dev', colour: COLOURS.sky },
  native: { title: 'sharp + ORT', colour: COLOURS.green },
  photon: { title: 'photon only', colour: COLOURS.orange },
  original: { title: 'Pillow + Keras', colour: COLOURS.vermilion },
} as const;

/** Goals for the ratios of medians: the Worker to native code at most, the original to the Worker at least. */
const AIMS = { toNative: 2, overOriginal: 3 } as const;

export type Contender = keyof typeof CONTENDERS;
export const CONTENDER_NAMES = Object.keys(CONTENDERS) as Contender[];

const Measured = z.object({
  score: z.number(),
  /** Milliseconds. */
  median: z.number(),
  p95: z.number(),
  wasmBytes: z.number().optional(),
});

const Row = z.object({
  picture: z.string(),
  bytes: z.number(),
  /** One that is missing has failed. */
  results: z.partialRecord(z.enum(['worker', 'dev', 'native', 'photon', 'original']), Measured),
});
type Row = z.infer<typeof Row>;

const Speed = z.object({
  runs: z.number(),
  /** A request that does nothing, directly and through `wrangler dev`. */
  floorMilliseconds: z.object({ worker: z.number(), dev: z.number() }),
  native: z.string(),
  rows: z.array(Row),
});

export const speed = reporter(Speed, ({ runs, floorMilliseconds: floor, rows }) => {
  const times = table(
    ['median / p95, ms', 'MB', ...CONTENDER_NAMES.map((name) => CONTENDERS[name].title)],
    rows.map((row) => [
      row.picture,
      (row.bytes / 1e6).toFixed(1),
      ...CONTENDER_NAMES.map((name) => cell(row.results[name])),
    ]),
  );
  const ratios = table(
    [
      'ratio of medians',
      'Worker : sharp',
      'wrangler dev : sharp',
      'photon : Worker',
      'Pillow : Worker',
      'Pillow : wrangler dev',
    ],
    rows.map((row) => [
      row.picture,
      ratio(row, 'worker', 'native'),
      ratio(row, 'dev', 'native'),
      ratio(row, 'photon', 'worker'),
      ratio(row, 'original', 'worker'),
      ratio(row, 'original', 'dev'),
    ]),
  );
  const note = `A request that does nothing (\`GET /api/health\`): ${floor.worker} ms in workerd, ${floor.dev} ms through \`wrangler dev\`. ${runs} runs. (*) wasm memory over 128 MiB: at Cloudflare the isolate would be killed. At most ${AIMS.toNative} times sharp's time: ${rows.filter((row) => Number(ratio(row, 'worker', 'native')) <= AIMS.toNative).length} of ${rows.length} rows; at least ${AIMS.overOriginal} times as fast as the original: ${rows.filter((row) => Number(ratio(row, 'original', 'worker')) >= AIMS.overOriginal).length}.`;
  return {
    tables: [times, ratios, note],
    figures: Object.fromEntries(rows.flatMap(figuresOf)),
    charts: {
      speed: {
        title: 'A photo’s way over HTTP',
        subtitle: 'median of a request on 127.0.0.1, warm, one at a time; shorter is better',
        unit: 'ms',
        legend: CONTENDER_NAMES.map((name) => ({
          label: CONTENDERS[name].title,
          colour: CONTENDERS[name].colour,
        })),
        groups: rows.map((row) => ({
          label: row.picture,
          bars: CONTENDER_NAMES.flatMap((name) => {
            const measured = row.results[name];
            const { title: label, colour } = CONTENDERS[name];
            return measured ? [{ label, parts: [{ value: measured.median, colour }] }] : [];
          }),
        })),
      },
    },
  };
});

function cell(measured: z.infer<typeof Measured> | undefined): string {
  if (!measured) return 'fails';
  const over = (measured.wasmBytes ?? 0) > ISOLATE_LIMIT;
  return `${measured.median.toFixed(1)} / ${measured.p95.toFixed(1)}${over ? ' (*)' : ''}`;
}

function ratio({ results }: Row, over: Contender, under: Contender): string {
  const [a, b] = [results[over]?.median, results[under]?.median];
  return a === undefined || b === undefined ? '-' : (a / b).toFixed(2);
}

/** Such as `jpeg-12-mp-ms` and `jpeg-12-mp-to-native`. */
function figuresOf(row: Row): [string, string][] {
  const name = row.picture.toLowerCase().replaceAll(' ', '-');
  return [
    [`${name}-ms`, row.results.worker?.median.toFixed(0) ?? '-'],
    [`${name}-to-native`, ratio(row, 'worker', 'native')],
    [`${name}-original-to-worker`, ratio(row, 'original', 'worker')],
    [`${name}-photon-to-worker`, ratio(row, 'photon', 'worker')],
  ];
}
