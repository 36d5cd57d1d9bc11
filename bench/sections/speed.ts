import { join } from 'node:path';
import { startWorker } from '../../test/e2e/wrangler.ts';
import { COLOURS } from '../chart.ts';
import type { Picture } from '../pictures.ts';
import { BENCH, type Service, serveNode, servePython } from '../processes.ts';
import type { Findings } from '../report.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../run.ts';
import { median, percentile, round } from '../statistics.ts';
import { table } from '../table.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const RUNS = 40;
const WARM_UP = 6;
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

type Name = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Name[];

interface Measured {
  readonly score: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p95: number;
  readonly wasmBytes?: number;
}

interface Row {
  readonly picture: string;
  readonly bytes: number;
  readonly results: Readonly<Partial<Record<Name, Measured>>>;
}

/** End to end over HTTP, warm, one request at a time; the contenders take turns, so that what disturbs one disturbs all. */
export async function measureSpeed({ album, progress, runs = RUNS }: Options): Promise<Findings> {
  const pictures = await album.pick(['JPEG 12 MP', 'JPEG 3 MP', 'JPEG 800 px', 'PNG 800 px', 'WebP 800 px']);
  progress.show('speed: starting the servers');
  const services: (Service | Store)[] = [];
  const keep = <T extends Service | Store>(service: T): T => {
    services.push(service);
    return service;
  };
  try {
    const store = keep(await createStore());
    const direct = keep(await startWorkerd(await bundle('src/index.ts'), store));
    const dev = keep(await startWorker());
    // The others end with this process by themselves.
    process.once('exit', () => void dev.stop());
    const native = keep(
      await serveNode([join(BENCH, 'native', 'server.js'), '--model', 'model/release/model.onnx']),
    );
    const original = keep(await servePython([join(BENCH, 'original.py'), 'model/huskymodel.h5']));
    const photon = await bundle('bench/worker/photon.js');
    const fixed = { worker: direct.url, dev: dev.url, native: native.url, original: original.url };

    const floor = await measureFloor(direct.url, dev.url, runs);
    const rows: Row[] = [];
    for (const [index, picture] of pictures.entries()) {
      const show = (run: number) =>
        progress.show('speed', `picture ${index + 1} of ${pictures.length}, run ${run} of ${runs}`);
      rows.push(await measurePicture(picture, fixed, { photon, store }, runs, show));
    }
    return findings(rows, floor, runs);
  } finally {
    for (const service of services.toReversed())
      await ('stop' in service ? service.stop() : service.remove());
  }
}

/** What a request costs that does nothing. */
async function measureFloor(worker: string, dev: string, runs: number): Promise<Record<string, number>> {
  const floor: Record<string, number> = {};
  for (const [name, url] of Object.entries({ worker, dev })) {
    const client = new Client(url);
    const times: number[] = [];
    for (let i = 0; i < runs + WARM_UP; i++) times.push((await client.get('/api/health')).milliseconds);
    floor[name] = round(median(times.slice(WARM_UP)), 2);
    client.close();
  }
  return floor;
}

async function measurePicture(
  picture: Picture,
  fixed: Readonly<Record<Exclude<Name, 'photon'>, string>>,
  { photon, store }: { photon: Bundle; store: Store },
  runs: number,
  show: (run: number) => void,
): Promise<Row> {
  // Photon keeps whatever memory it has ever taken, so each picture gets a process of its own.
  const alone = await startWorkerd(photon, store);
  const clients = new Map<Name, Client>(
    NAMES.map((name) => [name, new Client({ ...fixed, photon: alone.url }[name])]),
  );
  const times = new Map<Name, number[]>(NAMES.map((name) => [name, []]));
  const last = new Map<Name, Omit<Measured, 'median' | 'p95'>>();
  try {
    for (let run = -WARM_UP; run < runs; run++) {
      show(Math.max(0, run + 1));
      for (const [name, client] of clients) {
        try {
          const answer = await client.post('/api/predict', picture);
          const wasm = answer.headers['x-wasm-bytes'];
          last.set(name, { score: scoreIn(answer), ...(wasm ? { wasmBytes: Number(wasm) } : {}) });
          if (run >= 0) times.get(name)?.push(answer.milliseconds);
        } catch (error) {
          // Only photon may fail: that it does not survive some pictures is one of the findings.
          if (name !== 'photon') throw new Error(`${picture.name}, ${name}`, { cause: error });
          clients.delete(name);
          last.delete(name);
          client.close();
        }
      }
    }
  } finally {
    for (const client of clients.values()) client.close();
    await alone.stop();
  }
  const results = Object.fromEntries(
    [...last].map(([name, { score, ...rest }]) => {
      const all = times.get(name) ?? [];
      const measured = {
        score: round(score, 4),
        median: round(median(all)),
        p95: round(percentile(all, 0.95)),
      };
      return [name, { ...measured, ...rest }];
    }),
  );
  return { picture: picture.name, bytes: picture.bytes.length, results };
}

function findings(rows: readonly Row[], floor: Record<string, number>, runs: number): Findings {
  const cell = (measured: Measured | undefined): string => {
    if (!measured) return 'fails';
    const over = (measured.wasmBytes ?? 0) > ISOLATE_LIMIT;
    return `${measured.median.toFixed(1)} / ${measured.p95.toFixed(1)}${over ? ' (*)' : ''}`;
  };
  const ratio = (row: Row, over: Name, under: Name): string => {
    const [a, b] = [row.results[over]?.median, row.results[under]?.median];
    return a === undefined || b === undefined ? '-' : (a / b).toFixed(2);
  };
  const times = table(
    ['median / p95, ms', 'MB', ...NAMES.map((name) => CONTENDERS[name].title)],
    rows.map((row) => [
      row.picture,
      (row.bytes / 1e6).toFixed(1),
      ...NAMES.map((name) => cell(row.results[name])),
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
  const note = `A request that does nothing (\`GET /api/health\`): ${floor.worker} ms in workerd, ${floor.dev} ms through \`wrangler dev\`. ${runs} runs. (*) wasm memory over 128 MiB: at Cloudflare the isolate would be killed.`;
  return {
    data: { runs, floorMilliseconds: floor, native: 'sharp.concurrency(1), intraOpNumThreads 1', rows },
    tables: [times, ratios, note],
    charts: {
      speed: {
        title: 'A photo’s way over HTTP',
        subtitle: 'median of a request on 127.0.0.1, warm, one at a time; shorter is better',
        unit: 'ms',
        legend: NAMES.map((name) => ({ label: CONTENDERS[name].title, colour: CONTENDERS[name].colour })),
        groups: rows.map((row) => ({
          label: row.picture,
          bars: NAMES.flatMap((name) => {
            const measured = row.results[name];
            const { title: label, colour } = CONTENDERS[name];
            return measured ? [{ label, parts: [{ value: measured.median, colour }] }] : [];
          }),
        })),
      },
    },
  };
}
