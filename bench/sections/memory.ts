import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { COLOURS } from '../chart.ts';
import { type HeapUsage, Inspector } from '../inspector.ts';
import type { Picture } from '../pictures.ts';
import type { Findings } from '../report.ts';
import { Client } from '../request.ts';
import type { Options } from '../run.ts';
import { round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

/** Requests with each picture: garbage needs a few to pile up. */
const EACH = 4;
const AT_ONCE = 32;
const GOAL = 110_000_000;
const PLATFORM_LIMIT = 128 * 2 ** 20;
const POLL = 5;

const Wasm = z.object({ all: z.number(), inUse: z.number(), parts: z.record(z.string(), z.number()) });

const Peaks = Wasm.extend({ leased: z.number() });

/** What the Worker plans with, in bytes. */
const Limits = z.object({
  ISOLATE_MEMORY_BYTES: z.number(),
  BASELINE_MEMORY_BYTES: z.number(),
  MODEL_MEMORY_BYTES: z.number(),
});

interface Step {
  readonly name: string;
  /** How the requests ended: status and how many. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Bytes of wasm memory: in use, and with what the garbage collector has not taken yet. */
  readonly wasm: z.infer<typeof Wasm>;
  /** The largest that was seen while the requests ran and just after; it includes garbage. */
  readonly heap: HeapUsage;
  /** What is left when all garbage is collected. */
  readonly kept: HeapUsage;
  /** Bytes of request bodies that are held while one of them is decoded. */
  readonly bodies: number;
}

/** The most that was really in use at one moment. */
const inUse = ({ wasm, kept, bodies }: Step): number => wasm.inUse + kept.used + kept.buffers + bodies;

/** The most that the step can have taken, garbage and all: its largest values, as though of the same moment. */
const total = ({ wasm, heap }: Step): number => wasm.all + heap.used + heap.buffers;

/** One isolate, one picture after the other, then many at once; what one leaves behind counts for the next. */
export async function measureMemory({ album, progress }: Options): Promise<Findings> {
  const pictures = await album.pick([
    'JPEG 800 px',
    'PNG 800 px',
    'WebP 800 px',
    'GIF 800 px',
    'JPEG 3 MP',
    'JPEG 12 MP',
    'JPEG 12 MP progressive',
    'JPEG 48 MP',
    'PNG 2880 x 1800',
    'PNG 3840 x 2160',
    'WebP 8 MP',
  ]);
  const [crowd] = await album.pick(['JPEG 12 MP'], /jpeg$/);
  progress.show('memory: starting workerd');
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('bench/worker/memory.js'), store, { inspect: true });
  const client = new Client(workerd.url, AT_ONCE);
  try {
    const inspector = await Inspector.connect(workerd.inspector ?? '');
    const measure = async (name: string, bodies: number | undefined, requests: () => Promise<number[]>) => {
      const step = await measureStep(client, inspector, requests);
      return { name, ...step, bodies: bodies ?? step.bodies };
    };
    const steps = [
      await measure('Worker alone', 0, async () => [(await client.get('/nowhere')).status]),
      await measure('with the model', 0, async () => [(await client.get('/api/health')).status]),
    ];
    const send = async (picture: Picture) => (await client.post('/api/predict', picture)).status;
    for (const [index, picture] of pictures.entries()) {
      progress.show('memory', `picture ${index + 1} of ${pictures.length}`);
      steps.push(
        await measure(picture.name, picture.bytes.length, async () => {
          const statuses = [];
          for (let i = 0; i < EACH; i++) statuses.push(await send(picture));
          return statuses;
        }),
      );
    }
    if (crowd) {
      progress.show('memory', `${AT_ONCE} at once`);
      const all = () => Promise.all(Array.from({ length: AT_ONCE }, () => send(crowd)));
      steps.push(await measure(`${AT_ONCE} x ${crowd.name} at once`, undefined, all));
    }
    inspector.close();
    const { body } = await client.get('/bench/limits');
    return findings(steps, Limits.parse(JSON.parse(body.toString())));
  } finally {
    client.close();
    await workerd.stop();
    await store.remove();
  }
}

async function measureStep(
  client: Client,
  inspector: Inspector,
  requests: () => Promise<number[]>,
): Promise<Omit<Step, 'name'>> {
  await client.post('/bench/reset', { bytes: Buffer.alloc(0), type: 'application/octet-stream' });
  let heap = await inspector.heapUsage();
  let done = false;
  const watch = (async () => {
    while (!done) {
      heap = largest(heap, await inspector.heapUsage());
      await setTimeout(POLL);
    }
  })();
  const codes = await requests().finally(() => {
    done = true;
  });
  await watch;
  heap = largest(heap, await inspector.heapUsage());
  const { body } = await client.get('/bench/peaks');
  const { leased, ...wasm } = Peaks.parse(JSON.parse(body.toString()));
  await inspector.collectGarbage(() => client.get('/nowhere'));
  const kept = await inspector.heapUsage();
  const statuses: Record<string, number> = {};
  for (const code of codes) statuses[code] = (statuses[code] ?? 0) + 1;
  // What is leased is for bodies and for the decoder whose memory has been counted already.
  const decoders = (wasm.parts.jpeg ?? 0) + (wasm.parts.webp ?? 0);
  return { statuses, wasm, heap, kept, bodies: Math.max(0, leased - decoders) };
}

/** The one whose sum of objects and buffers is larger: they are shown side by side and must fit each other. */
function largest(one: HeapUsage, other: HeapUsage): HeapUsage {
  return other.used + other.buffers > one.used + one.buffers ? other : one;
}

function findings(steps: readonly Step[], limits: z.infer<typeof Limits>): Findings {
  const megabytes = (bytes: number | undefined) => (bytes === undefined ? '-' : (bytes / 1e6).toFixed(1));
  const rows = steps.map((step) => [
    step.name,
    Object.entries(step.statuses)
      .map(([status, count]) => `${count} x ${status}`)
      .join(', '),
    megabytes(step.wasm.parts.onnxruntime),
    megabytes(step.wasm.parts.photon),
    megabytes((step.wasm.parts.jpeg ?? 0) + (step.wasm.parts.webp ?? 0)),
    megabytes(step.kept.used),
    megabytes(step.kept.buffers),
    megabytes(step.bodies),
    megabytes(inUse(step)),
    megabytes(total(step)),
  ]);
  const peak = Math.max(...steps.map(inUse));
  const withGarbage = Math.max(...steps.map(total));
  const own = steps[1]?.kept;
  const baseline = own ? own.used + own.buffers : undefined;
  const { ISOLATE_MEMORY_BYTES, BASELINE_MEMORY_BYTES, MODEL_MEMORY_BYTES } = limits;
  const note = `In use at most: ${megabytes(peak)} MB; the goal is ${megabytes(GOAL)}, the platform's limit ${megabytes(PLATFORM_LIMIT)}. With garbage that V8 had not collected yet, at most ${megabytes(withGarbage)} MB. The Worker's own code and data: ${megabytes(baseline)} MB. It plans with ${megabytes(ISOLATE_MEMORY_BYTES)} MB in all, of which ${megabytes(BASELINE_MEMORY_BYTES)} for itself and ${megabytes(MODEL_MEMORY_BYTES)} for the model.`;
  const parts = [
    { label: 'ONNX Runtime', colour: COLOURS.blue, of: ({ wasm }: Step) => wasm.parts.onnxruntime ?? 0 },
    { label: 'photon', colour: COLOURS.orange, of: ({ wasm }: Step) => wasm.parts.photon ?? 0 },
    {
      label: 'decoders',
      colour: COLOURS.green,
      of: ({ wasm }: Step) => (wasm.parts.jpeg ?? 0) + (wasm.parts.webp ?? 0),
    },
    { label: 'JavaScript', colour: COLOURS.sky, of: ({ kept }: Step) => kept.used + kept.buffers },
    { label: 'bodies', colour: COLOURS.vermilion, of: ({ bodies }: Step) => bodies },
    { label: 'garbage', colour: '#dddddd', of: (step: Step) => Math.max(0, total(step) - inUse(step)) },
  ];
  return {
    data: {
      goalBytes: GOAL,
      limits,
      peakBytes: peak,
      peakWithGarbageBytes: withGarbage,
      baselineBytes: baseline,
      steps,
    },
    tables: [
      table(
        [
          'MB (10^6 bytes)',
          'answer',
          'ORT',
          'photon',
          'decoders',
          'JS heap',
          'buffers',
          'bodies',
          'in use',
          'with garbage',
        ],
        rows,
      ),
      note,
    ],
    charts: {
      memory: {
        title: 'Memory of one isolate',
        subtitle:
          'most in use at once in each step; in grey and brackets, with the garbage that V8 let lie beside it',
        unit: 'MB',
        legend: parts.map(({ label, colour }) => ({ label, colour })),
        limits: [
          { value: GOAL / 1e6, label: 'goal 110' },
          { value: PLATFORM_LIMIT / 1e6, label: '128 MiB' },
        ],
        groups: steps.map((step) => ({
          label: step.name,
          bars: [
            {
              label: step.name,
              parts: parts.map(({ colour, of }) => ({ value: of(step) / 1e6, colour })),
              text: `${round(inUse(step) / 1e6, 0)} MB (${round(total(step) / 1e6, 0)})`,
            },
          ],
        })),
      },
    },
  };
}
