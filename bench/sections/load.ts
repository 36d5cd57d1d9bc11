import { join } from 'node:path';
import { cpuMilliseconds } from '../cpu.ts';
import type { Picture } from '../pictures.ts';
import { BENCH, type Server, serveNode, servePython } from '../processes.ts';
import { LOAD_CONTENDERS, type LoadContender, type load } from '../reports/load.ts';
import type { DataOf } from '../reports/report.ts';
import { type Answer, Client, scoreIn } from '../request.ts';
import type { Options } from '../section.ts';
import { median, percentile, round } from '../statistics.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

/** Turns of each contender, and requests in each: enough in all for a 99th percentile. */
const RUNS = 5;
const REQUESTS = 32;
const WARM_UP = 16;
const CONCURRENCIES = [1, 4, 16];
const REFUSALS = new Set([429, 503]);

type Data = DataOf<typeof load>;
type Row = Data['rows'][number];

interface Turn {
  /** Of each request that was answered. */
  readonly milliseconds: readonly number[];
  readonly refused: number;
  /** Of the whole turn. */
  readonly seconds: number;
  readonly cpu: number;
}

/** Several requests at once, over HTTP, warm; the contenders take turns, so that what disturbs one disturbs all. */
export async function measureLoad({ album, progress, runs = RUNS }: Options): Promise<Data> {
  const pictures = await album.pick(['JPEG 12 MP', 'JPEG 512 px', 'PNG 800 px']);
  progress.show('load: starting the servers');
  const store = await createStore();
  const stops = [store.remove];
  const keep = <S extends Server>(server: S): S => {
    stops.unshift(server.stop);
    return server;
  };
  try {
    const model = 'model/release/model.onnx';
    const servers: Readonly<Record<LoadContender, Server>> = {
      worker: keep(await startWorkerd(await bundle('src/index.ts'), store)),
      native: keep(await serveNode([join(BENCH, 'native', 'server.js'), '--model', model])),
      original: keep(await servePython([join(BENCH, 'original.py'), 'model/huskymodel.h5'])),
    };
    const rows: Row[] = [];
    for (const picture of pictures) {
      for (const concurrency of CONCURRENCIES) {
        const what = `${picture.name}, ${concurrency} at once`;
        const show = (run: number) => progress.show('load', `${what}, turn ${run} of ${runs}`);
        const results = await measureRow(servers, picture, concurrency, runs, show);
        rows.push({ picture: picture.name, bytes: picture.bytes.length, concurrency, results });
      }
    }
    return { requests: runs * REQUESTS, rows };
  } finally {
    for (const stop of stops) await stop();
  }
}

async function measureRow(
  servers: Readonly<Record<LoadContender, Server>>,
  picture: Picture,
  concurrency: number,
  runs: number,
  show: (run: number) => void,
): Promise<Row['results']> {
  const turns: Record<LoadContender, Turn[]> = { worker: [], native: [], original: [] };
  show(0);
  for (const name of LOAD_CONTENDERS) await takeTurn(servers[name], picture, concurrency, WARM_UP);
  for (let run = 1; run <= runs; run++) {
    show(run);
    for (const name of LOAD_CONTENDERS) {
      turns[name].push(await takeTurn(servers[name], picture, concurrency, REQUESTS));
    }
  }
  const { worker, native, original } = turns;
  return { worker: summaryOf(worker), native: summaryOf(native), original: summaryOf(original) };
}

/** Sends a picture so often, with as many requests under way as there may be. */
async function takeTurn(
  { url, pid }: Server,
  picture: Picture,
  concurrency: number,
  requests: number,
): Promise<Turn> {
  const client = new Client(url, concurrency);
  const milliseconds: number[] = [];
  let refused = 0;
  let left = requests;
  const [begun, cpuBefore] = [performance.now(), cpuMilliseconds(pid)];
  const sender = async () => {
    while (left > 0) {
      left--;
      const answer: Answer = await client.post('/api/predict', picture);
      if (REFUSALS.has(answer.status)) {
        refused++;
        continue;
      }
      scoreIn(answer);
      milliseconds.push(answer.milliseconds);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sender)).finally(() => client.close());
  const seconds = (performance.now() - begun) / 1000;
  return { milliseconds, refused, seconds, cpu: cpuMilliseconds(pid) - cpuBefore };
}

function summaryOf(turns: readonly Turn[]): Row['results'][LoadContender] {
  const all = turns.flatMap(({ milliseconds }) => milliseconds);
  const sum = (of: (turn: Turn) => number) => turns.reduce((total, turn) => total + of(turn), 0);
  return {
    median: round(median(all)),
    p95: round(percentile(all, 0.95)),
    p99: round(percentile(all, 0.99)),
    requestsPerSecond: round(all.length / sum(({ seconds }) => seconds)),
    cpuMilliseconds: round(sum(({ cpu }) => cpu) / all.length, 2),
    refused: sum(({ refused }) => refused),
  };
}
