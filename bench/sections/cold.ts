import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import type { Picture } from '../pictures.ts';
import { Client, textOf } from '../request.ts';
import { defineSection, verdict } from '../section.ts';
import { median, percentile, round, sum } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 21;
/** Milliseconds of a new isolate's first answer in a running process. */
const GOAL = 200;

/** What an isolate does until its first answer. Of two at the same time, the one further down in `PRIORITY` waits. */
const PARTS = {
  storage: { name: 'model files from R2', colour: COLOURS.sky },
  verification: { name: 'digests, signature', colour: COLOURS.green },
  session: { name: 'ONNX Runtime and its session', colour: COLOURS.blue },
  selfTest: { name: 'self-test', colour: COLOURS.orange },
  run: { name: 'inference of the photo', colour: COLOURS.vermilion },
  rest: { name: 'photo, and everything else', colour: COLOURS.grey },
} as const;
const NAMES = ['storage', 'verification', 'session', 'selfTest', 'run', 'rest'] as const;
const PRIORITY = ['session', 'selfTest', 'run', 'verification', 'storage'] as const;

const Part = z.enum([...NAMES, 'answer']);
type Parts = Readonly<Record<z.infer<typeof Part>, number>>;

const Kind = z.enum(['storage', 'verification', 'session', 'run']);
const Recorded = z.object({ spans: z.array(z.object({ kind: Kind, from: z.number(), to: z.number() })) });
type Span = z.infer<typeof Recorded>['spans'][number];

/** The first answer of a new isolate: in a fresh workerd process, then in a second isolate of the same process. */
export const cold = defineSection({
  name: 'cold',
  schema: z.object({
    runs: z.number(),
    /** Milliseconds of each run, the whole `answer` last. */
    parts: z.array(z.object({ part: Part, process: z.array(z.number()), isolate: z.array(z.number()) })),
  }),

  async measure({ album, progress, runs = RUNS }) {
    const [picture] = await album.pick(['JPEG 800 px']);
    progress.show('cold: bundling');
    const modules = await bundle('bench/worker/traced.js');
    const store = await createStore();
    const [inProcess, inIsolate]: [Parts[], Parts[]] = [[], []];
    try {
      // Not counted: the very first start finds the disk cold.
      for (let run = 0; run <= runs; run++) {
        progress.show('cold', `start ${run} of ${runs}`);
        const workerd = await startWorkerd(modules, store, { isolates: 2 });
        try {
          await workerd.warmBucket();
          const first = await answerFirst(workerd.url, picture);
          const second = await answerFirst(workerd.second ?? '', picture);
          if (run === 0) continue;
          inProcess.push(first);
          inIsolate.push(second);
        } finally {
          await workerd.stop();
        }
      }
    } finally {
      await store.remove();
    }
    const parts = Part.options.map((part) => ({
      part,
      process: inProcess.map((each) => each[part]),
      isolate: inIsolate.map((each) => each[part]),
    }));
    return { runs, parts };
  },

  report({ runs, parts }) {
    const times = new Map(parts.map(({ part, process, isolate }) => [part, [process, isolate]]));
    const medians = (part: z.infer<typeof Part>) => (times.get(part) ?? []).map(median);
    const cells = (part: z.infer<typeof Part>) => medians(part).map((value) => value.toFixed(0));
    const slow = (times.get('answer') ?? []).map((values) => percentile(values, 0.95).toFixed(0));
    const [inProcess = '', inIsolate = ''] = cells('answer');
    const rows = ['in a new process', 'in a running process'];
    return {
      tables: [
        table(
          ['median ms of an isolate’s first answer', ...rows],
          [
            ...NAMES.map((part) => [PARTS[part].name, ...cells(part)]),
            ['first answer', ...cells('answer')],
            ['95th percentile', ...slow],
          ],
        ),
        `${runs} runs. The goal for the first answer in a running process is below ${GOAL} ms: ${verdict(Number(inIsolate) < GOAL)}.`,
      ],
      figures: { 'process-ms': inProcess, 'isolate-ms': inIsolate },
      charts: {
        cold: {
          title: 'First answer of a new isolate',
          subtitle: 'median milliseconds of each part; the model comes from a local R2',
          rows,
          series: NAMES.map((part) => ({ ...PARTS[part], values: medians(part) })),
          totals: cells('answer').map((text) => `${text} ms`),
        },
      },
    };
  },
});

/** Milliseconds until an isolate has answered its first request, and what it spent them on. */
async function answerFirst(url: string, picture: Picture): Promise<Parts> {
  const client = new Client(url);
  const answer = await client.post('/api/predict', picture);
  textOf(answer);
  const { spans } = Recorded.parse(JSON.parse(textOf(await client.get('/bench/spans'))));
  return splitTime(spans, answer.milliseconds);
}

/** Spans that overlap count once, for the first in `PRIORITY`: it works while the others wait. */
function splitTime(spans: readonly Span[], milliseconds: number): Parts {
  const lastRun = Math.max(...spans.filter(({ kind }) => kind === 'run').map(({ from }) => from));
  // The last run is the photo's, the ones before it are the self-test's.
  const named = spans.map((span) => ({
    ...span,
    part: span.kind === 'run' && span.from < lastRun ? 'selfTest' : span.kind,
  }));
  const parts = { storage: 0, verification: 0, session: 0, selfTest: 0, run: 0 };
  const edges = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1] ?? from;
    const active = named.filter((span) => span.from <= from && span.to >= to);
    const part = PRIORITY.find((each) => active.some((span) => span.part === each));
    if (part) parts[part] += to - from;
  }
  return { ...parts, rest: round(milliseconds - sum(Object.values(parts))), answer: round(milliseconds) };
}
