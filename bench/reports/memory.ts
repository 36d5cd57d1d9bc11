import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { round } from '../statistics.ts';
import { table } from '../table.ts';
import { reporter, verdict } from './report.ts';

const GOAL = 110_000_000;
const PLATFORM_LIMIT = 128 * 2 ** 20;

/** Bytes of wasm memory: of all instances, of those in use, and of each kind. */
export const WasmBytes = z.object({
  all: z.number(),
  inUse: z.number(),
  parts: z.record(z.string(), z.number()),
});

/** What the Worker plans with, in bytes. */
export const Limits = z.object({
  ISOLATE_MEMORY_BYTES: z.number(),
  BASELINE_MEMORY_BYTES: z.number(),
  MODEL_MEMORY_BYTES: z.number(),
});

const HeapUsage = z.object({ used: z.number(), reserved: z.number(), buffers: z.number() });

const Step = z.object({
  name: z.string(),
  /** How the requests ended: status and how many. */
  statuses: z.record(z.string(), z.number()),
  wasm: WasmBytes,
  /** The largest that was seen while the requests ran and just after; it includes garbage. */
  heap: HeapUsage,
  /** What is left when all garbage is collected. */
  kept: HeapUsage,
  /** Bytes of request bodies that are held while one of them is decoded. */
  bodies: z.number(),
});
export type Step = z.infer<typeof Step>;

const Memory = z.object({ limits: Limits, steps: z.array(Step) });

/** The most that was really in use at one moment. */
const inUse = ({ wasm, kept, bodies }: Step): number => wasm.inUse + kept.used + kept.buffers + bodies;

/** The most that the step can have taken, garbage and all: its largest values, as though of the same moment. */
const total = ({ wasm, heap }: Step): number => wasm.all + heap.used + heap.buffers;

const decoders = ({ wasm }: Step): number => (wasm.parts.jpeg ?? 0) + (wasm.parts.webp ?? 0);

const megabytes = (bytes: number | undefined) => (bytes === undefined ? '-' : (bytes / 1e6).toFixed(1));

const HEAD = [
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
];

const PARTS = [
  { label: 'ONNX Runtime', colour: COLOURS.blue, of: ({ wasm }: Step) => wasm.parts.onnxruntime ?? 0 },
  { label: 'photon', colour: COLOURS.orange, of: ({ wasm }: Step) => wasm.parts.photon ?? 0 },
  { label: 'decoders', colour: COLOURS.green, of: decoders },
  { label: 'JavaScript', colour: COLOURS.sky, of: ({ kept }: Step) => kept.used + kept.buffers },
  { label: 'bodies', colour: COLOURS.vermilion, of: ({ bodies }: Step) => bodies },
  { label: 'garbage', colour: '#dddddd', of: (step: Step) => Math.max(0, total(step) - inUse(step)) },
];

export const memory = reporter(Memory, ({ limits, steps }) => {
  const peak = Math.max(...steps.map(inUse));
  const withGarbage = Math.max(...steps.map(total));
  const own = steps[1]?.kept;
  const baseline = own ? own.used + own.buffers : undefined;
  const { ISOLATE_MEMORY_BYTES, BASELINE_MEMORY_BYTES, MODEL_MEMORY_BYTES } = limits;
  const note = `In use at most: ${megabytes(peak)} MB; the goal of ${megabytes(GOAL)} is ${verdict(peak < GOAL)}, the platform's limit is ${megabytes(PLATFORM_LIMIT)}. With garbage that V8 had not collected yet, at most ${megabytes(withGarbage)} MB. The Worker's own code and data: ${megabytes(baseline)} MB. It plans with ${megabytes(ISOLATE_MEMORY_BYTES)} MB in all, of which ${megabytes(BASELINE_MEMORY_BYTES)} for itself and ${megabytes(MODEL_MEMORY_BYTES)} for the model.`;
  return {
    tables: [table(HEAD, steps.map(rowOf)), note],
    figures: {
      'peak-mb': megabytes(peak),
      'with-garbage-mb': megabytes(withGarbage),
      'own-mb': megabytes(baseline),
    },
    charts: {
      memory: {
        title: 'Memory of one isolate',
        subtitle:
          'most in use at once in each step; in grey and brackets, with the garbage that V8 let lie beside it',
        unit: 'MB',
        legend: PARTS.map(({ label, colour }) => ({ label, colour })),
        limits: [
          { value: GOAL / 1e6, label: 'goal 110' },
          { value: PLATFORM_LIMIT / 1e6, label: '128 MiB' },
        ],
        groups: steps.map((step) => ({
          label: step.name,
          bars: [
            {
              label: step.name,
              parts: PARTS.map(({ colour, of }) => ({ value: of(step) / 1e6, colour })),
              text: `${round(inUse(step) / 1e6, 0)} MB (${round(total(step) / 1e6, 0)})`,
            },
          ],
        })),
      },
    },
  };
});

function rowOf(step: Step): string[] {
  const { name, statuses, wasm, kept, bodies } = step;
  return [
    name,
    Object.entries(statuses)
      .map(([status, count]) => `${count} x ${status}`)
      .join(', '),
    megabytes(wasm.parts.onnxruntime),
    megabytes(wasm.parts.photon),
    megabytes(decoders(step)),
    megabytes(kept.used),
    megabytes(kept.buffers),
    megabytes(bodies),
    megabytes(inUse(step)),
    megabytes(total(step)),
  ];
}
