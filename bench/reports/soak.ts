import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { drawLines } from '../load/line-chart.ts';
import { table } from '../table.ts';
import { reporter } from './report.ts';

export const COLUMNS = ['200', '4xx', 'busy', 'cut', 'wrong'] as const;

const Point = z.object({
  requests: z.number(),
  /** Wasm memories by name, idle. */
  parts: z.record(z.string(), z.number()),
  /** What JavaScript keeps when all garbage has been collected: objects, and buffers outside of the heap. */
  heap: z.number(),
  buffers: z.number(),
  /** The most that was in use at once since the point before: wasm memories, bodies, and what JavaScript keeps. */
  peak: z.number(),
  /** The same with the wasm memories and the heap that waited for the garbage collector. */
  peakWithGarbage: z.number(),
  /** Of the whole process. */
  rss: z.number(),
});

/** The isolate's memory after so many requests, in bytes. */
export type MemoryPoint = Readonly<z.infer<typeof Point>>;

const Soak = z.object({
  requests: z.number(),
  concurrency: z.number(),
  seed: z.number(),
  seconds: z.number(),
  cpuSeconds: z.number(),
  kinds: z.array(z.object({ name: z.string(), answers: z.record(z.enum(COLUMNS), z.number()) })),
  memory: z.array(Point),
  /** By how much what is kept for good, and the process, have grown over the last nine tenths, in bytes. */
  growth: z.object({ lasting: z.number(), rss: z.number() }),
  /** What workerd held open before and after. */
  handles: z.object({ before: z.number(), after: z.number() }),
  /** With the rate limits on: photos that were sent at once, and what became of them. */
  limited: z.object({ sent: z.number(), accepted: z.number(), refused: z.number(), retryAfter: z.number() }),
});

/** What stays for good: ONNX Runtime's memory and photon's never shrink, and JavaScript keeps the rest. */
export function lastingBytes({ parts, heap, buffers }: MemoryPoint): number {
  return (parts.onnxruntime ?? 0) + (parts.photon ?? 0) + heap + buffers;
}

const idleBytes = ({ parts }: MemoryPoint): number => (parts.jpeg ?? 0) + (parts.webp ?? 0);

export const soak = reporter(Soak, (data) => {
  const { requests, concurrency, seed, seconds, cpuSeconds, kinds, memory, growth, handles, limited } = data;
  const counts = kinds.map(({ name, answers }) => ({
    name,
    sent: COLUMNS.reduce((sum, column) => sum + answers[column], 0),
    answers,
  }));
  const total = (column: (typeof COLUMNS)[number]) =>
    counts.reduce((sum, { answers }) => sum + answers[column], 0);
  const rows = counts.map(({ name, sent, answers }) => [
    name,
    String(sent),
    ...COLUMNS.map((column) => String(answers[column] || '')),
  ]);
  const sum = ['all', String(counts.reduce((all, { sent }) => all + sent, 0))];
  const totals = [...sum, ...COLUMNS.map((column) => String(total(column)))];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const count = requests.toLocaleString('en-GB');
  const peak = Math.max(...memory.map((point) => point.peak));
  const perThousand = ((seconds / requests) * 1000).toFixed(0);
  const note = `${count} requests (seed ${seed}) from ${concurrency} clients in ${(seconds / 60).toFixed(1)} minutes: ${perThousand} s and ${((cpuSeconds / requests) * 1000).toFixed(0)} CPU-s of workerd for 1,000. workerd held ${handles.before} files and sockets open before, ${handles.after} after. With the rate limits on, ${limited.sent} photos sent at once: ${limited.accepted} x 200, ${limited.refused} x 429 with \`Retry-After: ${limited.retryAfter}\`, and 200 again after that time.`;
  const memoryNote = `Over the last nine tenths, what is kept for good has grown by ${megabytes(growth.lasting)} MB and the process by ${megabytes(growth.rss)} MB, on the straight lines that fit best. In use at most: ${megabytes(peak)} MB.`;
  return {
    tables: [
      table(['requests', 'sent', '200', '4xx', '503 or 429', 'cut', 'wrong'], [...rows, totals]),
      note,
      table(
        [
          'MB after so many requests',
          'ORT',
          'photon',
          'idle decoders',
          'JS heap',
          'buffers',
          'in use, peak',
          'RSS',
        ],
        memory.map((point) => [
          point.requests.toLocaleString('en-GB'),
          ...[point.parts.onnxruntime ?? 0, point.parts.photon ?? 0, idleBytes(point)].map(megabytes),
          ...[point.heap, point.buffers, point.peak, point.rss].map(megabytes),
        ]),
      ),
      memoryNote,
    ],
    figures: {
      requests: count,
      wrong: String(total('wrong')),
      busy: String(total('busy')),
      growth: megabytes(growth.lasting),
      peak: megabytes(peak),
    },
    charts: {},
    drawings: {
      soak: (footer) =>
        drawLines({
          title: 'Memory under load',
          subtitle: `one isolate, ${count} mixed requests, ${concurrency} at once; what is kept is measured when all garbage is collected`,
          x: 'requests',
          y: 'MB',
          lines: [
            { label: 'process (RSS)', colour: COLOURS.grey, of: (point: MemoryPoint) => point.rss },
            {
              label: 'peak with garbage',
              colour: COLOURS.orange,
              of: (point: MemoryPoint) => point.peakWithGarbage,
            },
            { label: 'in use, peak', colour: COLOURS.vermilion, of: (point: MemoryPoint) => point.peak },
            { label: 'kept for good', colour: COLOURS.blue, of: lastingBytes },
          ].map(({ label, colour, of }) => ({
            label,
            colour,
            points: memory.map((point) => ({ x: point.requests, y: of(point) / 1e6 })),
          })),
          footer,
        }),
    },
  };
});
