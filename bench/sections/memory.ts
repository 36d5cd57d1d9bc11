import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { type Release, toRelease } from '../../registry/release.ts';
import { createSignature, SIGNATURE_FILE } from '../../registry/sign.ts';
import { channelKey, modelKey } from '../../src/model/layout.ts';
import { digestFile } from '../../src/model/verification.ts';
import { bytesOf, measureChangeover, StepMemory } from '../changeover.ts';
import { COLOURS } from '../chart.ts';
import { type HeapUsage, Inspector } from '../inspector.ts';
import { withOldForm } from '../old-form.ts';
import { type Answer, Client, textOf } from '../request.ts';
import { defineSection, verdict } from '../section.ts';
import { table } from '../table.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd, type Workerd } from '../workerd.ts';

/** Requests with each picture, so that garbage can pile up; uploads at once; milliseconds between two looks at the heap. */
const [EACH, AT_ONCE, POLL] = [4, 32, 5];

/** Bytes. */
const [GOAL, PLATFORM_LIMIT] = [100_000_000, 128 * 2 ** 20];

/** Bytes of wasm memory: of all instances, of those in use, and of each kind. */
const Wasm = z.object({ all: z.number(), inUse: z.number(), parts: z.record(z.string(), z.number()) });

/** Leases are for bodies, and for decoders, whose memory is counted already. */
const Peaks = Wasm.extend({ leased: z.number() });

const Heap = z.object({ used: z.number(), buffers: z.number() });

const Step = z.object({
  name: z.string(),
  /** How many answers had which status. */
  statuses: z.record(z.string(), z.number()),
  wasm: Wasm,
  /** The peak while the requests ran, garbage included. */
  heap: Heap,
  /** What is left after garbage collection. */
  kept: Heap,
  /** Bytes of the request bodies held at the same time. */
  bodies: z.number(),
});
type Step = z.infer<typeof Step>;

const decoders = ({ wasm }: Pick<Step, 'wasm'>): number =>
  (wasm.parts.jpeg ?? 0) + (wasm.parts.webp ?? 0) + (wasm.parts.heif ?? 0);

/** The most in use at one moment. */
const inUse = ({ wasm, kept, bodies }: Step): number => wasm.inUse + kept.used + kept.buffers + bodies;

/** The upper limit of what the step can have taken: its peaks, garbage included, as if they had coincided. */
const total = ({ wasm, heap }: Step): number => wasm.all + heap.used + heap.buffers;

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

const PARTS = [
  { name: 'ONNX Runtime', colour: COLOURS.blue, of: ({ wasm }: Step) => wasm.parts.onnxruntime ?? 0 },
  { name: 'photon', colour: COLOURS.orange, of: ({ wasm }: Step) => wasm.parts.photon ?? 0 },
  { name: 'decoders', colour: COLOURS.green, of: decoders },
  { name: 'JavaScript', colour: COLOURS.sky, of: ({ kept }: Step) => kept.used + kept.buffers },
  { name: 'bodies', colour: COLOURS.vermilion, of: ({ bodies }: Step) => bodies },
  { name: 'garbage', colour: '#bbbbbb', of: (step: Step) => Math.max(0, total(step) - inUse(step)) },
];

/** What changeovers of a model cost, in one form. */
const Changeovers = z.object({
  /** ONNX Runtime's bytes before the first. */
  serving: z.number(),
  /** ONNX Runtime's bytes after `CHANGEOVERS` of them. */
  afterChangeovers: z.number(),
  /** The isolate's bytes at each step of one more. */
  steps: z.array(StepMemory),
});
type Changeovers = z.infer<typeof Changeovers>;

function formTable(split: Changeovers, singleFile: Changeovers) {
  const row = (name: string, of: (form: Changeovers) => number) => {
    const [now, before] = [of(split), of(singleFile)];
    return [name, megabytes(now), megabytes(before), (now / before).toFixed(2)];
  };
  const step = (name: string) => {
    const total = ({ steps }: Changeovers) => steps.filter(({ step }) => step === name).map(bytesOf);
    return row(`isolate, changeover: ${name}`, (form) => Math.max(...total(form)));
  };
  return table(
    ['MB', 'graph and weights', 'one file', 'ratio'],
    [
      row('ONNX Runtime, serving', ({ serving }) => serving),
      row(`ONNX Runtime, after ${CHANGEOVERS} changeovers`, ({ afterChangeovers }) => afterChangeovers),
      ...split.steps.map(({ step: name }) => step(name)),
      row('isolate, peak of a changeover', ({ steps }) => Math.max(...steps.map(bytesOf))),
    ],
  );
}

/** One isolate, one picture after another, then many at once. What one leaves behind counts for the next. */
export const memory = defineSection({
  name: 'memory',
  schema: z.object({
    steps: z.array(Step),
    split: Changeovers,
    /** The same network in one file, as release 0.1 stored it. */
    singleFile: Changeovers,
  }),

  async measure({ album, progress }) {
    const pictures = await album.pick();
    progress.show('memory: starting workerd');
    const store = await createStore();
    const modules = await bundle('bench/worker/memory.js');
    const workerd = await startWorkerd(modules, store, { inspect: true, vars: ATTENTIVE });
    try {
      const client = new Client(workerd.url);
      const inspector = await Inspector.connect(workerd.inspector ?? '');
      const steps: Step[] = [];
      const measure = async (name: string, send: () => Promise<Answer[]>, bodies?: number) => {
        progress.show('memory', name);
        steps.push({ name, ...(await measureStep(client, inspector, send, bodies)) });
      };
      await measure('Worker alone', async () => [await client.get('/nowhere')], 0);
      await measure('with the model', async () => [await client.get('/api/health')], 0);
      const split = await measureChangeovers(workerd, inspector, store);
      for (const picture of pictures) {
        const sendEach = async () => {
          const answers = [];
          for (let i = 0; i < EACH; i++) answers.push(await client.post('/api/predict', picture));
          return answers;
        };
        await measure(picture.name, sendEach, picture.bytes.length);
      }
      const [crowd] = await album.pick(['JPEG 12 MP']);
      const post = () => Promise.all(Array.from({ length: AT_ONCE }, () => client.post('/api/predict', crowd)));
      await measure(`${AT_ONCE} x ${crowd.name} at once`, post);
      inspector.close();
      const singleFile = await measureSingleFile(modules);
      return { steps, split, singleFile };
    } finally {
      await workerd.stop();
      await store.remove();
    }
  },

  report({ steps, split, singleFile }) {
    const peak = Math.max(...steps.map(inUse));
    const withGarbage = Math.max(...steps.map(total));
    const own = steps[1]?.kept ?? { used: 0, buffers: 0 };
    return {
      tables: [
        table(
          [
            'MB (10^6 bytes)',
            'answers',
            'ORT',
            'photon',
            'decoders',
            'JS heap',
            'buffers',
            'bodies',
            'in use',
            'with garbage',
          ],
          steps.map((step) => [
            step.name,
            Object.entries(step.statuses)
              .map(([status, count]) => `${count} x ${status}`)
              .join(', '),
            ...[step.wasm.parts.onnxruntime ?? 0, step.wasm.parts.photon ?? 0, decoders(step)].map(megabytes),
            ...[step.kept.used, step.kept.buffers, step.bodies, inUse(step), total(step)].map(megabytes),
          ]),
        ),
        formTable(split, singleFile),
        `At most ${megabytes(peak)} MB in use; the goal of ${megabytes(GOAL)} is ${verdict(peak < GOAL)}, the platform's limit is ${megabytes(PLATFORM_LIMIT)}. At most ${megabytes(withGarbage)} MB with garbage. The Worker's own code and data take ${megabytes(own.used + own.buffers)} MB.`,
      ],
      figures: { 'peak-mb': megabytes(peak) },
      charts: {
        memory: {
          title: 'Memory of one isolate',
          subtitle: 'megabytes in use at the peak of each step; grey and in brackets, with the garbage beside it',
          rows: steps.map(({ name }) => name),
          series: PARTS.map(({ of, ...part }) => ({ ...part, values: steps.map((step) => of(step) / 1e6) })),
          totals: steps.map((step) => `${(inUse(step) / 1e6).toFixed(0)} (${(total(step) / 1e6).toFixed(0)})`),
          limits: [
            { value: GOAL / 1e6, label: 'goal 100' },
            { value: PLATFORM_LIMIT / 1e6, label: '128 MiB' },
          ],
        },
      },
    };
  },
});

/** An isolate that reads the channel on every request. */
const ATTENTIVE = { MODEL_REFRESH: '0' };
const CHANGEOVERS = 10;
/** Milliseconds until a changeover must have ended. */
const PATIENCE = 30_000;

/** Moves the channel between the version and a copy of it under another name. */
async function measureChangeovers(
  { bucket, url }: Workerd,
  inspector: Inspector,
  { release, key }: Store,
): Promise<Changeovers> {
  const client = new Client(url);
  const manifest = { ...release.manifest, name: `${release.manifest.name}-two` };
  const file = await digestFile(Buffer.from(JSON.stringify(manifest)));
  const other = toRelease(new Map([...release.files, ['manifest.json', file]]));
  const r2 = await bucket();
  for (const [name, { bytes }] of other.files) await r2.put(modelKey(other.version, name), bytes);
  await r2.put(modelKey(other.version, SIGNATURE_FILE), createSignature(other, key));
  const moveTo = async ({ version }: Release) => {
    await r2.put(channelKey(DEFAULT_CHANNEL), JSON.stringify({ version }));
    for (const started = performance.now(); ; await setTimeout(POLL)) {
      await client.get('/api/health');
      const { digest } = Served.parse(JSON.parse(textOf(await client.get('/api/model'))));
      if (digest === version) return;
      if (performance.now() - started > PATIENCE) throw new Error('the isolate does not follow its channel');
    }
  };
  const serving = await runtimeBytes(client);
  for (let round = 0; round < CHANGEOVERS; round++) await moveTo(round % 2 === 0 ? other : release);
  const afterChangeovers = await runtimeBytes(client);
  const steps = await measureChangeover(url, inspector, () => moveTo(other));
  await moveTo(release);
  return { serving, afterChangeovers, steps };
}

const Served = z.object({ digest: z.string() });

const runtimeBytes = async (client: Client): Promise<number> =>
  Wasm.parse(JSON.parse(textOf(await client.get('/bench/peaks')))).parts.onnxruntime ?? 0;

function measureSingleFile(modules: Bundle): Promise<Changeovers> {
  return withOldForm(async (folder) => {
    const store = await createStore(folder);
    const workerd = await startWorkerd(modules, store, { inspect: true, vars: ATTENTIVE });
    try {
      await new Client(workerd.url).get('/api/health');
      const inspector = await Inspector.connect(workerd.inspector ?? '');
      return await measureChangeovers(workerd, inspector, store).finally(() => inspector.close());
    } finally {
      await workerd.stop();
      await store.remove();
    }
  });
}

/** @param bodies bytes of the one body held at a time; undefined: many are held */
async function measureStep(
  client: Client,
  inspector: Inspector,
  send: () => Promise<Answer[]>,
  bodies?: number,
): Promise<Omit<Step, 'name'>> {
  await client.get('/bench/reset');
  let heap = await inspector.heapUsage();
  let done = false;
  const watch = (async () => {
    while (!done) {
      heap = largest(heap, await inspector.heapUsage());
      await setTimeout(POLL);
    }
  })();
  const answers = await send().finally(() => {
    done = true;
  });
  await watch;
  heap = largest(heap, await inspector.heapUsage());
  const { leased, ...wasm } = Peaks.parse(JSON.parse(textOf(await client.get('/bench/peaks'))));
  await inspector.collectGarbage(() => client.get('/nowhere'));
  const kept = await inspector.heapUsage();
  const statuses: Record<string, number> = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  return { statuses, wasm, heap, kept, bodies: bodies ?? Math.max(0, leased - decoders({ wasm })) };
}

/** The one with the larger sum: its two values belong to the same moment. */
const largest = (one: HeapUsage, other: HeapUsage): HeapUsage =>
  other.used + other.buffers > one.used + one.buffers ? other : one;
