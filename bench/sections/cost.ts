import * as z from 'zod';
import { cpuMilliseconds } from '../cpu.ts';
import type { Picture } from '../pictures.ts';
import type { cost } from '../reports/cost.ts';
import type { DataOf } from '../reports/report.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../section.ts';
import { median, round } from '../statistics.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const RUNS = 120;
const WARM_UP = 30;
/** In so many turns, so that what slows the machine down for a while slows all of them down. */
const TURNS = 4;
/** A page costs so little that it has to be asked for more often. */
const PAGES = 5;
const STARTS = 7;
/** A page of the Worker's own; the start page and its files are static, and free. */
const PAGE = '/docs';

const Noted = z.object({ reads: z.number() });

type Data = DataOf<typeof cost>;

/** CPU time of workerd's process for what is asked of it, warm and at an isolate's start. */
export async function measureCost({ album, progress, runs = RUNS }: Options): Promise<Data> {
  const pictures = await album.pick(['JPEG 512 px', 'JPEG 12 MP, reduced', 'JPEG 12 MP', 'PNG 800 px']);
  const [first] = pictures;
  if (!first) throw new Error('There is no picture.');
  progress.show('cost: starting workerd');
  const store = await createStore();
  try {
    const rows = await measureRows(store, pictures, runs, (turn) =>
      progress.show('cost', `turn ${turn} of ${TURNS}`),
    );
    const modules = await bundle('bench/worker/cold.js');
    const starts: Data['start'][] = [];
    for (let start = 1; start <= Math.min(STARTS, runs); start++) {
      progress.show('cost', `start ${start} of ${Math.min(STARTS, runs)}`);
      starts.push(await measureStart(store, modules, first));
    }
    const start = {
      cpuMilliseconds: median(starts.map(({ cpuMilliseconds }) => cpuMilliseconds)),
      reads: median(starts.map(({ reads }) => reads)),
    };
    return { requests: runs, rows, start };
  } finally {
    await store.remove();
  }
}

async function measureRows(
  store: Store,
  pictures: readonly Picture[],
  runs: number,
  show: (turn: number) => void,
): Promise<Data['rows']> {
  const workerd = await startWorkerd(await bundle('src/index.ts'), store);
  const client = new Client(workerd.url);
  const post = (picture: Picture) => async () => scoreIn(await client.post('/api/predict', picture));
  const get = async () => {
    const { status } = await client.get(PAGE);
    if (status !== 200) throw new Error(`${PAGE} answered ${status}`);
  };
  const turn = Math.ceil(runs / TURNS);
  const asked = [
    ...pictures.map((picture) => ({
      row: { name: picture.name, bytes: picture.bytes.length, photo: true },
      ask: post(picture),
      times: turn,
      spent: 0,
    })),
    { row: { name: `GET ${PAGE}`, bytes: 0, photo: false }, ask: get, times: turn * PAGES, spent: 0 },
  ];
  try {
    for (const { ask } of asked) for (let i = 0; i < WARM_UP; i++) await ask();
    for (let number = 1; number <= TURNS; number++) {
      show(number);
      for (const each of asked) {
        const before = cpuMilliseconds(workerd.pid);
        for (let i = 0; i < each.times; i++) await each.ask();
        each.spent += cpuMilliseconds(workerd.pid) - before;
      }
    }
  } finally {
    client.close();
    await workerd.stop();
  }
  return asked.map(({ row, times, spent }) => ({
    ...row,
    cpuMilliseconds: round(spent / (times * TURNS), 2),
  }));
}

/** What the first answer of an isolate takes, in a process of its own. */
async function measureStart(store: Store, modules: Bundle, picture: Picture): Promise<Data['start']> {
  const workerd = await startWorkerd(modules, store, { vars: { CHECKS: 'all' } });
  const client = new Client(workerd.url);
  try {
    await workerd.warmBucket();
    const before = cpuMilliseconds(workerd.pid);
    scoreIn(await client.post('/api/predict', picture));
    const spent = cpuMilliseconds(workerd.pid) - before;
    const { reads } = Noted.parse(JSON.parse((await client.get('/bench/spans')).body.toString()));
    return { cpuMilliseconds: round(spent), reads };
  } finally {
    client.close();
    await workerd.stop();
  }
}
