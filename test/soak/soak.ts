import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { type Bundle, type Store, startWorkerd } from '../../bench/workerd.ts';
import { Client } from './client.ts';
import { type MemoryPoint, MemoryWatch, openHandles } from './memory.ts';
import { type MixResult, sendMix } from './mix.ts';
import type { Photos } from './photos.ts';
import { kindsOf } from './requests.ts';

const SEED = 20_260_301;
const PLATFORM_LIMIT = 128 * 2 ** 20;
/** A kind of request of which so many are due has to occur. */
const CERTAIN = 15;
/** Files and sockets that the runtime opens in the course of things. */
const SPARE_HANDLES = 8;
/** How often, and how many milliseconds apart, to check whether connections have closed. */
const [CLOSING_CHECKS, CLOSING_PAUSE] = [100, 100];

const Log = z.object({
  counts: z.record(z.string(), z.number()),
  reasons: z.array(z.string()),
  unexpected: z.array(z.string()),
});

export interface SoakOptions {
  readonly modules: Bundle;
  readonly store: Store;
  readonly photos: Photos;
  readonly requests: number;
  /** How often to measure memory. */
  readonly pauses: number;
  readonly vars?: Readonly<Record<string, string>>;
  /** See test/soak/worker/faulty.js. */
  readonly faults?: Readonly<Record<string, number>>;
}

export interface Soaked extends MixResult {
  readonly memory: readonly MemoryPoint[];
}

/** Sends mixed requests, good and bad, from many clients to one isolate, and collects all that is wrong. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { modules, store, photos, requests, pauses, vars = {}, faults = {} } = options;
  const workerd = await startWorkerd(modules, store, { vars, inspect: true });
  try {
    await using client = new Client(workerd.url);
    await client.post('/soak/faults', JSON.stringify(faults));
    const kinds = await kindsOf(photos, SEED);
    const memory: MemoryPoint[] = [];
    const before = openHandles(workerd.pid);
    const watch = await MemoryWatch.start(workerd);
    const mix = await sendMix(workerd.url, kinds, { requests, seed: SEED, pauses }, async () => {
      memory.push(await watch.point());
    }).finally(() => watch.close());
    for (let i = 0; i < CLOSING_CHECKS && openHandles(workerd.pid) > before; i++) {
      await setTimeout(CLOSING_PAUSE);
    }
    const opened = openHandles(workerd.pid) - before;
    const { counts, reasons, unexpected } = Log.parse(await client.json('/soak/log'));
    const { status } = z.object({ status: z.unknown() }).parse(await client.json('/api/health'));
    const failures = Object.entries(counts).filter(([key]) => /^5/.test(key) && key !== '503 overloaded');
    const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
    const due = kinds.filter(({ weight }) => (weight / total) * mix.requests > CERTAIN);
    const wrong = [
      ...mix.wrong,
      ...failures.map(([key, times]) => `the Worker has logged ${times} x ${key}`),
      ...(failures.length > 0 ? reasons : []),
      ...unexpected.map((line) => `unexpected in the log: ${line}`),
      ...due.filter((kind) => !mix.sent.has(kind)).map(({ name }) => `never sent: ${name}`),
      ...memory.filter(({ peak }) => peak > PLATFORM_LIMIT).map(({ peak }) => `${peak} bytes were in use`),
      ...(opened > SPARE_HANDLES ? [`${opened} connections have stayed open`] : []),
      ...(status === 'ok' ? [] : [`health: ${status}`]),
    ];
    return { ...mix, wrong, memory };
  } finally {
    await workerd.stop();
  }
}
