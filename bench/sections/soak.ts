import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { cpuMilliseconds } from '../cpu.ts';
import { Connection } from '../load/exchange.ts';
import { type Kind, kindsOf } from '../load/kinds.ts';
import { sendLimited } from '../load/limited.ts';
import { MemoryWatch, rise } from '../load/memory-watch.ts';
import { type LoadPictures, loadPictures } from '../load/pictures.ts';
import { openHandles } from '../load/process.ts';
import { soak } from '../load/soak.ts';
import type { DataOf } from '../reports/report.ts';
import { COLUMNS, lastingBytes, type MemoryPoint, soak as report } from '../reports/soak.ts';
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
/** So many requests of a kind are to be expected that some must come. */
const SURE_TO_COME = 15;
/** What the runtime opens in the course of things. */
const SPARE_HANDLES = 8;
/** How often, and in milliseconds how far apart, is looked whether connections have ended. */
const CLOSING_LOOKS = 100;
const CLOSING_PAUSE = 100;

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
  readonly data: Omit<DataOf<typeof report>, 'limited'>;
  /** Whatever was not as it should be, in words; empty: all was well. */
  readonly wrong: readonly string[];
}

export interface SoakTerms {
  readonly pictures: LoadPictures;
  readonly requests: number;
  readonly pauses: number;
  /** Settings of the Worker that are to be other than they come. */
  readonly vars?: Readonly<Record<string, string>>;
  progress(step: string, detail?: string): void;
}

/** Mixed requests, good and bad, from many clients at once to one isolate; every answer is checked. */
export async function measureSoak({ album, progress, runs }: Options): Promise<DataOf<typeof report>> {
  const show = (step: string, detail?: string) => progress.show(`soak: ${step}`, detail);
  show('preparing');
  const pictures = await loadPictures(album);
  const modules = await bundle('bench/worker/faulty.js');
  const store = await createStore();
  try {
    const terms = { pictures, requests: runs ?? REQUESTS, pauses: PAUSES, progress: show };
    const loaded = await underLoad(modules, store, terms);
    show('with the rate limits on');
    const limited = await underLimits(modules, store, pictures);
    const wrong = [...loaded.wrong, ...limited.wrong];
    const data = { ...loaded.data, limited: limited.seen };
    if (wrong.length > 0) {
      const { tables } = report.report(data);
      throw new Error(`${tables.join('\n\n')}\n\nWhat should not be:\n${wrong.join('\n')}`);
    }
    return data;
  } finally {
    await store.remove();
  }
}

/** The load alone, on a Worker of bench/worker: what was seen, and what of it should not be. */
export async function underLoad(
  modules: Bundle,
  store: Store,
  { pictures, requests, pauses, vars = {}, progress }: SoakTerms,
): Promise<SoakRun> {
  const workerd = await startWorkerd(modules, store, { vars, inspect: true });
  const connection = new Connection(workerd.url);
  try {
    const ask = async (path: string) =>
      JSON.parse((await connection.send({ method: 'GET', path })).body.toString());
    const kinds = kindsOf({ pictures, seed: SEED, limits: Limits.parse(await ask('/bench/limits')) });
    const watch = await MemoryWatch.begin(workerd.url, workerd.inspector ?? '', workerd.pid);
    const before = openHandles(workerd.pid);
    const memory: MemoryPoint[] = [];
    let [begun, cpu] = [0, 0];
    let used = { seconds: 0, cpuSeconds: 0 };
    const {
      tallies,
      wrong,
      requests: sent,
    } = await soak({
      url: workerd.url,
      kinds,
      requests,
      concurrency: CONCURRENCY,
      seed: SEED,
      pauses,
      progress,
      begin() {
        [begun, cpu] = [performance.now(), cpuMilliseconds(workerd.pid)];
      },
      async pause(done) {
        used = {
          seconds: round((performance.now() - begun) / 1000),
          cpuSeconds: round((cpuMilliseconds(workerd.pid) - cpu) / 1000),
        };
        memory.push(await watch.point(done));
      },
    });
    watch.end();
    const after = await settledHandles(workerd.pid, before);
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
    const logged = Logged.parse(await ask('/bench/logged'));
    return { data, wrong: [...wrong, ...neverSent(data, kinds), ...complaints(data, logged)] };
  } finally {
    connection.close();
    await workerd.stop();
  }
}

/** What is open once the connections of the clients have had time to end; fewer than `before`, for the inspector is gone. */
async function settledHandles(pid: number, before: number): Promise<number> {
  for (let look = 0; look < CLOSING_LOOKS && openHandles(pid) > before; look++)
    await setTimeout(CLOSING_PAUSE);
  return openHandles(pid);
}

/** Kinds of requests that should have come, and did not. */
function neverSent({ kinds: sent, requests }: SoakRun['data'], kinds: readonly Kind[]): string[] {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  return kinds.flatMap(({ name, weight }, i) => {
    const came = COLUMNS.some((column) => (sent[i]?.answers[column] ?? 0) > 0);
    return came || (weight / total) * requests < SURE_TO_COME ? [] : [`never sent: ${name}`];
  });
}

/** What is wrong with the whole, though each answer was right. */
function complaints({ memory, growth, handles }: SoakRun['data'], logged: z.infer<typeof Logged>): string[] {
  const found: string[] = [];
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
