import * as z from 'zod';
import { cpuMilliseconds } from '../cpu.ts';
import { kindsOf } from '../load/kinds.ts';
import { sendLimited } from '../load/limited.ts';
import { MemoryWatch, rise } from '../load/memory-watch.ts';
import { type LoadPictures, loadPictures } from '../load/pictures.ts';
import { openHandles } from '../load/process.ts';
import { soak as put } from '../load/soak.ts';
import type { DataOf } from '../reports/report.ts';
import { COLUMNS, lastingBytes, type MemoryPoint, type soak } from '../reports/soak.ts';
import { Client } from '../request.ts';
import type { Options } from '../section.ts';
import { round } from '../statistics.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const REQUESTS = 50_000;
const CONCURRENCY = 32;
const SEED = 20_260_301;
const PAUSES = 20;
const PLATFORM_LIMIT = 128 * 2 ** 20;
/** What counts as flat: growth from the first tenth to the end, in bytes. */
const FLAT_BYTES = 3_000_000;
const FLAT_PROCESS_BYTES = 30_000_000;
/** Connections of the benchmark itself, and what the runtime opens in the course of things. */
const SPARE_HANDLES = 8;

const Limits = z.object({
  MAX_BODY_BYTES: z.number(),
  MAX_BATCH_PHOTOS: z.number(),
  BURST_PHOTOS: z.number(),
});

const Logged = z.object({
  counts: z.record(z.string(), z.number()),
  reasons: z.array(z.string()),
  unexpected: z.array(z.string()),
});

export interface SoakRun {
  readonly data: DataOf<typeof soak>;
  /** Whatever was not as it should be, in words; empty: all was well. */
  readonly wrong: readonly string[];
}

export interface SoakTerms {
  readonly entry: string;
  readonly pictures: LoadPictures;
  readonly requests: number;
  readonly pauses: number;
  progress(step: string, detail?: string): void;
}

/** Mixed requests, good and bad, from many clients at once to one isolate; every answer is checked. */
export async function measureSoak({ album, progress, runs }: Options): Promise<DataOf<typeof soak>> {
  const { data, wrong } = await runSoak({
    entry: 'bench/worker/faulty.js',
    pictures: await loadPictures(album),
    requests: runs ?? REQUESTS,
    pauses: PAUSES,
    progress: (step, detail) => progress.show(`soak: ${step}`, detail),
  });
  if (wrong.length === 0) return data;
  throw new Error(`The soak has found what should not be:\n${wrong.join('\n')}`);
}

/** The soak, with its findings instead of an error. */
export async function runSoak(terms: SoakTerms): Promise<SoakRun> {
  terms.progress('starting workerd');
  const store = await createStore();
  try {
    const modules = await bundle(terms.entry);
    const loaded = await underLoad(modules, store, terms);
    terms.progress('with the rate limits on');
    const limited = await underLimits(modules, store, terms.pictures);
    return {
      data: { ...loaded.data, limited: limited.seen },
      wrong: [...loaded.wrong, ...limited.wrong],
    };
  } finally {
    await store.remove();
  }
}

async function underLoad(
  modules: Bundle,
  store: Store,
  { pictures, requests, pauses, progress }: SoakTerms,
): Promise<{ readonly data: Omit<SoakRun['data'], 'limited'>; readonly wrong: readonly string[] }> {
  const workerd = await startWorkerd(modules, store, { inspect: true });
  const client = new Client(workerd.url);
  try {
    const ask = async (path: string) => JSON.parse((await client.get(path)).body.toString());
    const kinds = kindsOf({ pictures, seed: SEED, limits: Limits.parse(await ask('/bench/limits')) });
    const watch = await MemoryWatch.begin(workerd.url, workerd.inspector ?? '', workerd.pid);
    const before = openHandles(workerd.pid);
    const memory: MemoryPoint[] = [];
    const [begun, cpu] = [performance.now(), cpuMilliseconds(workerd.pid)];
    let used = { seconds: 0, cpuSeconds: 0 };
    const {
      tallies,
      wrong,
      requests: sent,
    } = await put({
      url: workerd.url,
      kinds,
      requests,
      concurrency: CONCURRENCY,
      seed: SEED,
      pauses,
      progress,
      async pause(done) {
        used = {
          seconds: round((performance.now() - begun) / 1000),
          cpuSeconds: round((cpuMilliseconds(workerd.pid) - cpu) / 1000),
        };
        memory.push(await watch.point(done));
      },
    });
    watch.end();
    const after = openHandles(workerd.pid) + 1;
    const later = memory.slice(Math.ceil(memory.length / 10));
    const growth = {
      lasting: round(rise(later.map(lastingBytes)), 0),
      rss: round(rise(later.map(({ rss }) => rss)), 0),
    };
    const data = {
      requests: sent,
      concurrency: CONCURRENCY,
      seed: SEED,
      ...used,
      kinds: [...tallies].map(([name, answers]) => ({ name, answers })),
      memory,
      growth,
      handles: { before, after },
    };
    return { data, wrong: [...wrong, ...complaints(data, Logged.parse(await ask('/bench/logged')))] };
  } finally {
    client.close();
    await workerd.stop();
  }
}

/** What is wrong with the whole, though each answer was right. */
function complaints(
  { kinds, memory, growth, handles }: Omit<SoakRun['data'], 'limited'>,
  logged: z.infer<typeof Logged>,
): string[] {
  const found: string[] = [];
  const idle = kinds.filter(({ answers }) => COLUMNS.every((column) => answers[column] === 0));
  if (idle.length > 0) found.push(`never sent: ${idle.map(({ name }) => name).join(', ')}`);
  const failures = Object.entries(logged.counts).filter(
    ([key]) => /^5/.test(key) && key !== '503 overloaded',
  );
  for (const [key, count] of failures) found.push(`the Worker has logged ${count} x ${key}`);
  if (failures.length > 0) found.push(...logged.reasons);
  for (const line of logged.unexpected) found.push(`in the log: ${line}`);
  const limits = { 'is kept for good': FLAT_BYTES, 'the process takes': FLAT_PROCESS_BYTES };
  for (const [what, limit] of Object.entries(limits)) {
    const bytes = what === 'is kept for good' ? growth.lasting : growth.rss;
    if (bytes > limit) found.push(`what ${what} has grown by ${bytes} bytes`);
  }
  for (const { requests, peak } of memory) {
    if (peak > PLATFORM_LIMIT) found.push(`${peak} bytes were in use before request ${requests}`);
  }
  if (handles.after > handles.before + SPARE_HANDLES) {
    found.push(`${handles.after - handles.before} connections have stayed open`);
  }
  return found;
}

async function underLimits(modules: Bundle, store: Store, { small }: LoadPictures) {
  const workerd = await startWorkerd(modules, store, { vars: { RATE_LIMITS: 'on' }, rateLimits: true });
  try {
    return await sendLimited(workerd.url, small);
  } finally {
    await workerd.stop();
  }
}
