import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { CpuProfile } from '../inspector.ts';
import type { Picture } from '../pictures.ts';
import { type cold, type PART_NAMES, type Parts, VARIANT_NAMES, type Variant } from '../reports/cold.ts';
import type { DataOf } from '../reports/report.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../section.ts';
import { round } from '../statistics.ts';
import { bundle, createStore, runWrangler, startWorkerd } from '../workerd.ts';

const RUNS = 21;
/** How often the Worker's start-up is profiled. */
const STARTS = 5;
const ATTEMPTS = 3;

const Noted = z.object({
  spans: z.array(
    z.object({
      kind: z.enum(['storage', 'verification', 'session', 'run']),
      from: z.number(),
      to: z.number(),
    }),
  ),
});
type Span = z.infer<typeof Noted>['spans'][number];

/** First request to first answer in a fresh workerd process each time; the variants take turns. */
export async function measureCold({ album, progress, runs = RUNS }: Options): Promise<DataOf<typeof cold>> {
  const [picture] = await album.pick(['JPEG 800 px']);
  if (!picture) throw new Error('There is no picture.');
  const startups: number[] = [];
  for (let start = 1; start <= Math.min(STARTS, runs); start++) {
    progress.show('cold: profiling the start-up', `${start} of ${Math.min(STARTS, runs)}`);
    startups.push(await startupMilliseconds());
  }
  progress.show('cold: bundling');
  const modules = await bundle('bench/worker/cold.js');
  const store = await createStore();
  const times: Record<Variant, number[]> = { all: [], 'self-test': [], none: [] };
  const split = { process: [] as Parts[], isolate: [] as Parts[] };
  try {
    // One more than asked for: the first of all finds the disk cold.
    for (let run = -1; run < runs; run++) {
      progress.show('cold', `start ${Math.max(0, run + 1)} of ${runs}`);
      for (let i = 0; i < VARIANT_NAMES.length; i++) {
        const variant = VARIANT_NAMES[(i + run + VARIANT_NAMES.length) % VARIANT_NAMES.length] as Variant;
        const workerd = await startWorkerd(modules, store, { vars: { CHECKS: variant }, isolates: 2 });
        try {
          await workerd.warmBucket();
          const first = await firstAnswer(workerd.url, picture);
          if (run < 0) continue;
          times[variant].push(first.answer);
          if (variant !== 'all') continue;
          split.process.push(first);
          split.isolate.push(await firstAnswer(workerd.second ?? '', picture));
        } finally {
          await workerd.stop();
        }
      }
    }
  } finally {
    await store.remove();
  }
  return { runs, startupMilliseconds: startups, milliseconds: times, split };
}

/** Milliseconds until an isolate has answered for the first time, and what they were spent on. */
async function firstAnswer(url: string, picture: Picture): Promise<Parts> {
  const client = new Client(url);
  try {
    const answer = await client.post('/api/predict', picture);
    scoreIn(answer);
    const { spans } = Noted.parse(JSON.parse((await client.get('/bench/spans')).body.toString()));
    return partsOf(spans, answer.milliseconds);
  } finally {
    client.close();
  }
}

/**
 * What goes on at the same time counts once, for the part that stands first here: it works while the others wait. The photo's own
 * inference is the last run, those before it are the self-test's.
 */
function partsOf(spans: readonly Span[], milliseconds: number): Parts {
  const runs = spans.filter(({ kind }) => kind === 'run').toSorted((a, b) => a.from - b.from);
  const photo = runs.pop();
  const of = (kind: Span['kind']) => spans.filter((span) => span.kind === kind);
  const order: Readonly<Record<Exclude<(typeof PART_NAMES)[number], 'rest'>, readonly Span[]>> = {
    session: of('session'),
    selfTest: runs,
    run: photo ? [photo] : [],
    verification: of('verification'),
    storage: of('storage'),
  };
  const edges = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  const parts = { storage: 0, verification: 0, session: 0, selfTest: 0, run: 0 };
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1] ?? from;
    const active = Object.entries(order).find(([, those]) =>
      those.some((span) => span.from <= from && span.to >= to && span.from < span.to),
    );
    if (active) parts[active[0] as keyof typeof parts] += to - from;
  }
  const known = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { ...parts, rest: round(milliseconds - known), answer: round(milliseconds) };
}

/** CPU time of what runs before the first request, as `wrangler check startup` profiles it. */
async function startupMilliseconds(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-bench-'));
  try {
    const file = join(folder, 'startup.cpuprofile');
    // It waits for ten seconds and no longer, which a machine that is busy with other things may exceed.
    for (let attempt = 1; ; attempt++) {
      try {
        await runWrangler(['check', 'startup', '--outfile', file]);
        break;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
      }
    }
    const { nodes, samples, timeDeltas } = CpuProfile.parse(JSON.parse(await readFile(file, 'utf8')));
    const idle = new Set(
      nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id),
    );
    const active = samples.reduce((sum, id, index) => sum + (idle.has(id) ? 0 : (timeDeltas[index] ?? 0)), 0);
    return round(active / 1000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
