import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { cpuMilliseconds } from '../cpu.ts';
import { type CpuProfile, Inspector } from '../inspector.ts';
import type { Picture } from '../pictures.ts';
import { BENCH } from '../processes.ts';
import { Client, textOf } from '../request.ts';
import { defineSection, slug } from '../section.ts';
import { round, sum } from '../statistics.ts';
import { table } from '../table.ts';
import { type Bundle, bundle, createStore, startWorkerd, type Workerd } from '../workerd.ts';

const [RUNS, WARM_UP] = [120, 20];
/** Microseconds between two samples of the profiler. */
const INTERVAL = 250;
/** Where the CPU profiles go, for DevTools or speedscope. */
const PROFILES = join(BENCH, 'pictures', 'profiles');

/** In the order in which a photo passes them. */
const STAGES = {
  read: { name: 'read the body', colour: COLOURS.sky },
  header: { name: 'header, limits', colour: COLOURS.grey },
  decode: { name: 'decode', colour: COLOURS.green },
  resize: { name: 'resize', colour: COLOURS.orange },
  tensor: { name: 'upright, tensor', colour: COLOURS.pink },
  inference: { name: 'inference', colour: COLOURS.blue },
  rest: { name: 'answer, and everything else', colour: COLOURS.vermilion },
  garbage: { name: 'garbage collection', colour: '#bbbbbb' },
} as const;
type Stage = keyof typeof STAGES;
const NAMES = ['read', 'header', 'decode', 'resize', 'tensor', 'inference', 'rest', 'garbage'] as const;

/** Which stage a source file belongs to: the first match counts. */
const SOURCES: readonly (readonly [RegExp, Stage])[] = [
  [/^src\/(predict\/(body|multipart|upload)|http\/upload-source)/, 'read'],
  [/^src\/image\/(.*\/)?(header|exif|limits|budget|bits|lossless)\.ts$/, 'header'],
  [/^src\/image\/resize\.ts$/, 'resize'],
  [/^src\/image\/orientation\.ts$/, 'tensor'],
  // Only PNG uses the platform's zlib.
  [/^src\/image\/|zlib|internal_streams/, 'decode'],
  [/^(src\/model\/|node_modules\/onnxruntime-)/, 'inference'],
];

/** Where the CPU time of a request goes: the process's by the kernel, shared out by V8's profiler. */
export const stages = defineSection({
  name: 'stages',
  schema: z.object({
    runs: z.number(),
    pictures: z.array(z.string()),
    /** CPU milliseconds of a request with each picture. */
    stages: z.array(z.object({ stage: z.enum(NAMES), milliseconds: z.array(z.number()) })),
  }),

  async measure({ album, progress, runs = RUNS }) {
    const pictures = await album.pick(['JPEG 12 MP', 'JPEG 512 px', 'PNG 800 px']);
    progress.show('stages: starting workerd');
    const store = await createStore();
    const modules = await bundle('src/index.ts');
    const worker = await startWorkerd(modules, store, { inspect: true });
    try {
      const times: Map<Stage, number>[] = [];
      for (const [index, picture] of pictures.entries()) {
        progress.show('stages', `picture ${index + 1} of ${pictures.length}`);
        await send(worker, picture, WARM_UP);
        const spent = await send(worker, picture, runs);
        const inspector = await Inspector.connect(worker.inspector ?? '');
        const profile = await inspector.profile(INTERVAL, () => send(worker, picture, runs));
        inspector.close();
        await mkdir(PROFILES, { recursive: true });
        await writeFile(join(PROFILES, `${slug(picture.name)}.cpuprofile`), JSON.stringify(profile));
        times.push(shareOut(spent, profile, modules));
      }
      const stages = NAMES.map((stage) => ({
        stage,
        milliseconds: times.map((time) => round(time.get(stage) ?? 0, 2)),
      }));
      return { runs, pictures: pictures.map(({ name }) => name), stages };
    } finally {
      await worker.stop();
      await store.remove();
    }
  },

  report({ runs, pictures, stages }) {
    const all = pictures.map((_, i) => sum(stages.map(({ milliseconds }) => milliseconds[i] ?? 0)));
    const cell = (value: number, i: number) => `${value.toFixed(1)} (${((100 * value) / (all[i] ?? 0)).toFixed(0)} %)`;
    return {
      tables: [
        table(
          ['CPU ms of a request', ...pictures],
          [
            ...stages.map(({ stage, milliseconds }) => [STAGES[stage].name, ...milliseconds.map(cell)]),
            ['all', ...all.map((value) => value.toFixed(1))],
          ],
        ),
        `CPU time of workerd's process; ${runs} requests each, warm, one at a time.`,
      ],
      charts: {
        stages: {
          title: 'CPU time of a request',
          subtitle: 'milliseconds of each stage; warm, one request at a time',
          rows: pictures,
          series: stages.map(({ stage, milliseconds }) => ({ ...STAGES[stage], values: milliseconds })),
          totals: all.map((value) => `${value.toFixed(0)} ms`),
        },
      },
    };
  },
});

/** Sends a picture this many times. @returns CPU milliseconds of the process for one request */
async function send({ url, pid }: Workerd, picture: Picture, times: number): Promise<number> {
  const client = new Client(url);
  const before = cpuMilliseconds(pid);
  for (let i = 0; i < times; i++) textOf(await client.post('/api/predict', picture));
  return (cpuMilliseconds(pid) - before) / times;
}

/** Divides CPU time among the stages: a sample counts for the innermost call whose source has a stage. */
function shareOut(spent: number, profile: CpuProfile, modules: Bundle): Map<Stage, number> {
  const sourceOf = sourceFinder(modules);
  const parents = new Map(profile.nodes.flatMap(({ id, children }) => children.map((child) => [child, id] as const)));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const stageOf = (id: number | undefined): Stage => {
    const frame = id === undefined ? undefined : nodes.get(id);
    if (!frame) return 'rest';
    if (frame.functionName === '(garbage collector)') return 'garbage';
    const source = sourceOf(frame);
    return SOURCES.find(([pattern]) => pattern.test(source))?.[1] ?? stageOf(id === undefined ? id : parents.get(id));
  };
  const times = new Map<Stage, number>();
  let all = 0;
  for (const [index, id] of profile.samples.entries()) {
    if (['(root)', '(idle)', '(program)'].includes(nodes.get(id)?.functionName ?? '')) continue;
    const time = Math.max(0, profile.timeDeltas[index] ?? 0);
    times.set(stageOf(id), (times.get(stageOf(id)) ?? 0) + time);
    all += time;
  }
  return new Map([...times].map(([stage, time]) => [stage, (spent * time) / all]));
}

/** Finds the source file of a place in the bundle: esbuild writes each file's path above its code. */
function sourceFinder(modules: Bundle) {
  const main = Object.values(modules).find(({ type }) => type === 'esm');
  const files = new TextDecoder()
    .decode(main?.contents)
    .split('\n')
    .flatMap((line, number) => {
      const path = /^\/\/ ((?:src|node_modules)\/\S+)$/.exec(line)?.[1];
      return path === undefined ? [] : [{ number, path }];
    });
  return ({ url, lineNumber }: { url: string; lineNumber: number }): string =>
    url.endsWith('index.js') ? (files.findLast(({ number }) => number <= lineNumber)?.path ?? '') : url;
}
