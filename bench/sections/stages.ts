import { cpuMilliseconds } from '../cpu.ts';
import { Inspector } from '../inspector.ts';
import type { Picture } from '../pictures.ts';
import { breakDown } from '../profile.ts';
import type { DataOf } from '../reports/report.ts';
import type { stages } from '../reports/stages.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../section.ts';
import { round } from '../statistics.ts';
import { bundle, createStore, startWorkerd, type Workerd } from '../workerd.ts';

const RUNS = 120;
const WARM_UP = 20;
/** CPU time is counted in hundredths of a second, so it is taken of many requests at once, in so many turns. */
const TURNS = 4;
/** What does next to nothing has to do it more often. */
const FLOORS = 2;
/** Microseconds from one sample of the profiler to the next. */
const INTERVAL = 250;

/** Where the CPU time of one request goes: workerd's process by the kernel, the isolate by V8's profiler. */
export async function measureStages({
  album,
  progress,
  runs = RUNS,
}: Options): Promise<DataOf<typeof stages>> {
  const pictures = await album.pick(['JPEG 12 MP', 'JPEG 512 px', 'PNG 800 px']);
  progress.show('stages: starting workerd');
  const store = await createStore();
  const modules = await bundle('src/index.ts');
  const worker = await startWorkerd(modules, store, { inspect: true });
  const floor = await startWorkerd(await bundle('bench/worker/floor.js'), store);
  const rows: DataOf<typeof stages>['rows'] = [];
  try {
    for (const [index, picture] of pictures.entries()) {
      const show = (what: string) =>
        progress.show('stages', `picture ${index + 1} of ${pictures.length}, ${what}`);
      show('CPU time');
      await send(floor, picture, WARM_UP, () => {});
      await send(worker, picture, WARM_UP, scoreIn);
      const spent = { worker: 0, floor: 0 };
      for (let turn = 0; turn < TURNS; turn++) {
        spent.floor += await send(floor, picture, runs * FLOORS, () => {});
        spent.worker += await send(worker, picture, runs / TURNS, scoreIn);
      }
      show('profile');
      const inspector = await Inspector.connect(worker.inspector ?? '');
      const profile = await inspector.profile(INTERVAL, async () => {
        await send(worker, picture, runs, scoreIn);
      });
      inspector.close();
      rows.push({
        picture: picture.name,
        cpuMilliseconds: round(spent.worker / TURNS, 2),
        floorMilliseconds: round(spent.floor / TURNS, 2),
        ...breakDown(profile, modules),
      });
    }
  } finally {
    await floor.stop();
    await worker.stop();
    await store.remove();
  }
  return { runs, rows };
}

/** Sends a picture so often. @returns CPU milliseconds of the process for each */
async function send(
  { url, pid }: Workerd,
  picture: Picture,
  times: number,
  check: typeof scoreIn | (() => void),
): Promise<number> {
  const client = new Client(url);
  const before = cpuMilliseconds(pid);
  for (let i = 0; i < times; i++) check(await client.post('/api/predict', picture));
  client.close();
  return (cpuMilliseconds(pid) - before) / Math.ceil(times);
}
