import { join } from 'node:path';
import { startWorker } from '../../test/e2e/wrangler.ts';
import type { Picture } from '../pictures.ts';
import { BENCH, type Service, serveNode, servePython } from '../processes.ts';
import type { DataOf } from '../reports/report.ts';
import { CONTENDER_NAMES, type Contender, type speed } from '../reports/speed.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../section.ts';
import { median, percentile, round } from '../statistics.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const RUNS = 40;
const WARM_UP = 6;

type Data = DataOf<typeof speed>;
type Row = Data['rows'][number];
type Measured = NonNullable<Row['results'][Contender]>;

/** End to end over HTTP, warm, one request at a time; the contenders take turns, so that what disturbs one disturbs all. */
export async function measureSpeed({ album, progress, runs = RUNS }: Options): Promise<Data> {
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

    const floor = {
      worker: await measureFloor(direct.url, runs),
      dev: await measureFloor(dev.url, runs),
    };
    const rows: Row[] = [];
    for (const [index, picture] of pictures.entries()) {
      const show = (run: number) =>
        progress.show('speed', `picture ${index + 1} of ${pictures.length}, run ${run} of ${runs}`);
      rows.push(await measurePicture(picture, fixed, { photon, store }, runs, show));
    }
    return { runs, floorMilliseconds: floor, native: 'sharp.concurrency(1), intraOpNumThreads 1', rows };
  } finally {
    for (const service of services.toReversed())
      await ('stop' in service ? service.stop() : service.remove());
  }
}

/** What a request costs that does nothing. */
async function measureFloor(url: string, runs: number): Promise<number> {
  const client = new Client(url);
  const times: number[] = [];
  for (let i = 0; i < runs + WARM_UP; i++) times.push((await client.get('/api/health')).milliseconds);
  client.close();
  return round(median(times.slice(WARM_UP)), 2);
}

async function measurePicture(
  picture: Picture,
  fixed: Readonly<Record<Exclude<Contender, 'photon'>, string>>,
  { photon, store }: { photon: Bundle; store: Store },
  runs: number,
  show: (run: number) => void,
): Promise<Row> {
  // Photon keeps whatever memory it has ever taken, so each picture gets a process of its own.
  const alone = await startWorkerd(photon, store);
  const clients = new Map<Contender, Client>(
    CONTENDER_NAMES.map((name) => [name, new Client({ ...fixed, photon: alone.url }[name])]),
  );
  const times = new Map<Contender, number[]>(CONTENDER_NAMES.map((name) => [name, []]));
  const last = new Map<Contender, Omit<Measured, 'median' | 'p95'>>();
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
