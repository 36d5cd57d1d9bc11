import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { writeAsFloat32 } from '../float32.ts';
import { withOldForm } from '../old-form.ts';
import type { Picture } from '../pictures.ts';
import type { Progress } from '../progress.ts';
import { Client, textOf } from '../request.ts';
import { defineSection, verdict } from '../section.ts';
import { median, percentile, round, sum } from '../statistics.ts';
import { table } from '../table.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const RUNS = 15;
/** Milliseconds of a new isolate's first answer in a running process. */
const GOAL = 200;
/** Milliseconds that are added to each read of R2. */
const R2_DELAY = 50;
/** How often the network of release 0.1 ran before the first answer. */
const RUNS_OF_OLD_SELF_TEST = 3;

/** What an isolate does until its first answer. Of two at the same time, the one further down in `PRIORITY` waits. */
const PARTS = {
  storage: { name: 'model files from R2', colour: COLOURS.sky },
  verification: { name: 'digests, signature', colour: COLOURS.green },
  session: { name: 'ONNX Runtime and its session', colour: COLOURS.blue },
  selfTest: { name: 'probes', colour: COLOURS.orange },
  run: { name: 'inference of the photo', colour: COLOURS.vermilion },
  rest: { name: 'photo, and everything else', colour: COLOURS.grey },
} as const;
const NAMES = ['storage', 'verification', 'session', 'selfTest', 'run', 'rest'] as const;
const PRIORITY = ['session', 'selfTest', 'run', 'verification', 'storage'] as const;

const Part = z.enum([...NAMES, 'answer']);
type Parts = Readonly<Record<z.infer<typeof Part>, number>>;

/** Milliseconds of each run, the whole `answer` last. */
const Times = z.array(z.object({ part: Part, process: z.array(z.number()), isolate: z.array(z.number()) }));
type Times = z.infer<typeof Times>;

const Kind = z.enum(['storage', 'verification', 'session', 'run']);
const Recorded = z.object({ spans: z.array(z.object({ kind: Kind, from: z.number(), to: z.number() })) });
type Span = z.infer<typeof Recorded>['spans'][number];

/**
 * The first answer of a new isolate: in a fresh workerd process, then in a second isolate of the same process. Beside it,
 * the same network in one file and with all probes before the first answer, as in release 0.1.
 */
export const cold = defineSection({
  name: 'cold',
  schema: z.object({
    runs: z.number(),
    parts: Times,
    singleFile: Times,
    /** Milliseconds of the first answer in a running process, with R2 `R2_DELAY` away, by how weights.bin stores the numbers. */
    stored: z.object({ float16: z.array(z.number()), float32: z.array(z.number()) }),
  }),

  async measure({ album, progress, runs = RUNS }) {
    const [picture] = await album.pick(['JPEG 800 px']);
    progress.show('cold: bundling');
    const modules = await bundle('bench/worker/traced.js');
    progress.show('cold: making the older form');
    return withOldForm(async (folder) => {
      const form = (store: Store, vars: Record<string, string>, probes: number) => {
        const [process, isolate]: [Parts[], Parts[]] = [[], []];
        return { store, vars, probes, process, isolate };
      };
      const forms = [
        form(await createStore(), {}, 1),
        form(await createStore(folder), { SELF_TEST: 'before' }, RUNS_OF_OLD_SELF_TEST),
      ];
      try {
        // The first run of each is not counted: it finds the disk cold.
        for (let run = 0; run <= runs; run++) {
          progress.show('cold', `start ${run} of ${runs}`);
          for (const { store, vars, probes, process, isolate } of forms) {
            const workerd = await startWorkerd(modules, store, { isolates: 2, vars });
            try {
              await workerd.warmBucket();
              const first = await answerFirst(workerd.url, picture, probes);
              const second = await answerFirst(workerd.second ?? '', picture, probes);
              if (run === 0) continue;
              process.push(first);
              isolate.push(second);
            } finally {
              await workerd.stop();
            }
          }
        }
      } finally {
        for (const { store } of forms) await store.remove();
      }
      const [parts, singleFile] = forms.map(({ process, isolate }) =>
        Part.options.map((part) => ({
          part,
          process: process.map((each) => each[part]),
          isolate: isolate.map((each) => each[part]),
        })),
      );
      const stored = await compareStorage(modules, picture, progress, runs);
      return { runs, parts: parts ?? [], singleFile: singleFile ?? [], stored };
    });
  },

  report({ runs, parts, singleFile, stored }) {
    const times = (of: Times, part: z.infer<typeof Part>) => {
      const found = of.find((each) => each.part === part);
      return [found?.process ?? [], found?.isolate ?? []];
    };
    const medians = (of: Times, part: z.infer<typeof Part>) => times(of, part).map(median);
    const cells = (part: z.infer<typeof Part>) => {
      const [now, before] = [medians(parts, part), medians(singleFile, part)];
      return [0, 1].flatMap((i) => {
        const [one = 0, other = 0] = [now[i], before[i]];
        return [one.toFixed(0), other.toFixed(0), (one / other).toFixed(2)];
      });
    };
    const slow = (of: Times) => times(of, 'answer').map((values) => percentile(values, 0.95).toFixed(0));
    const [inProcess = 0, inIsolate = 0] = medians(parts, 'answer');
    const rows = ['in a new process', 'in a running process'];
    const heads = rows.flatMap((row) => [row, 'release 0.1', 'ratio']);
    const [slowNow, slowBefore] = [slow(parts), slow(singleFile)];
    return {
      tables: [
        table(
          ['median ms of an isolate’s first answer', ...heads],
          [
            ...NAMES.map((part) => [PARTS[part].name, ...cells(part)]),
            ['first answer', ...cells('answer')],
            ['95th percentile', ...[0, 1].flatMap((i) => [slowNow[i] ?? '', slowBefore[i] ?? '', ''])],
          ],
        ),
        table(
          [`median ms of the first answer in a running process, R2 ${R2_DELAY} ms away`, 'float16', 'float32'],
          [['first answer', median(stored.float16).toFixed(0), median(stored.float32).toFixed(0)]],
        ),
        `${runs} runs. The goal for the first answer in a running process is below ${GOAL} ms: ${verdict(inIsolate < GOAL)}.`,
      ],
      figures: { 'process-ms': inProcess.toFixed(0), 'isolate-ms': inIsolate.toFixed(0) },
      charts: {
        cold: {
          title: 'First answer of a new isolate',
          subtitle: 'median milliseconds of each part; the model comes from a local R2',
          rows: rows.flatMap((row) => [row, `${row}, release 0.1`]),
          series: NAMES.map((part) => ({
            ...PARTS[part],
            values: [0, 1].flatMap((i) => [medians(parts, part)[i] ?? 0, medians(singleFile, part)[i] ?? 0]),
          })),
          totals: [0, 1].flatMap((i) =>
            [parts, singleFile].map((of) => `${(medians(of, 'answer')[i] ?? 0).toFixed(0)} ms`),
          ),
        },
      },
    };
  },
});

/** The first answer with R2 at a distance: with the committed weights, and with all of them stored as float32. */
async function compareStorage(modules: Bundle, picture: Picture, progress: Progress, runs: number) {
  const folder = await writeAsFloat32();
  const stores = { float16: await createStore(), float32: await createStore(folder) };
  const stored = { float16: [] as number[], float32: [] as number[] };
  try {
    for (let run = 0; run < runs; run++) {
      progress.show('cold', `R2 at a distance, start ${run + 1} of ${runs}`);
      for (const dtype of ['float16', 'float32'] as const) {
        const workerd = await startWorkerd(modules, stores[dtype], { isolates: 2, vars: { R2_DELAY: `${R2_DELAY}` } });
        try {
          await workerd.warmBucket();
          await answerFirst(workerd.url, picture, 1);
          stored[dtype].push((await answerFirst(workerd.second ?? '', picture, 1)).answer);
        } finally {
          await workerd.stop();
        }
      }
    }
    return stored;
  } finally {
    await Promise.all([stores.float16.remove(), stores.float32.remove()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds until an isolate has answered its first request, and what it spent them on. */
async function answerFirst(url: string, picture: Picture, probes: number): Promise<Parts> {
  const client = new Client(url);
  const answer = await client.post('/api/predict', picture);
  textOf(answer);
  const { spans } = Recorded.parse(JSON.parse(textOf(await client.get('/bench/spans'))));
  return splitTime(spans, probes, answer.milliseconds);
}

/** Spans that overlap count once, for the first in `PRIORITY`: it works while the others wait. */
function splitTime(spans: readonly Span[], probes: number, milliseconds: number): Parts {
  // The first runs are the probes', the next is the photo's. The other probes follow the answer.
  const runs = spans.filter(({ kind }) => kind === 'run').toSorted((a, b) => a.from - b.from);
  const named = spans.flatMap((span): (Span & { readonly part: (typeof PRIORITY)[number] })[] => {
    if (span.kind !== 'run') return [{ ...span, part: span.kind }];
    const run = runs.indexOf(span);
    return run > probes ? [] : [{ ...span, part: run === probes ? 'run' : 'selfTest' }];
  });
  const parts = { storage: 0, verification: 0, session: 0, selfTest: 0, run: 0 };
  const edges = [...new Set(named.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1] ?? from;
    const active = named.filter((span) => span.from <= from && span.to >= to);
    const part = PRIORITY.find((each) => active.some((span) => span.part === each));
    if (part) parts[part] += to - from;
  }
  return { ...parts, rest: round(milliseconds - sum(Object.values(parts))), answer: round(milliseconds) };
}
