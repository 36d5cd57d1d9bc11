import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import { type Bundle, type Store, startWorkerd } from '../../bench/workerd.ts';
import { Client } from './client.ts';
import { type MemoryPoint, MemoryWatch, openHandles } from './memory.ts';
import { type MixResult, sendMix, type Tally } from './mix.ts';
import type { Photos } from './photos.ts';
import { kindsOf } from './requests.ts';

const CLIENTS = 32;
const SEED = 20_260_301;
const PLATFORM_LIMIT = 128 * 2 ** 20;
/** Growth between the halves of a soak that counts as none, in bytes. */
const [FLAT, FLAT_PROCESS] = [3_000_000, 30_000_000];
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
  readonly pauses: number;
  readonly vars?: Readonly<Record<string, string>>;
  /** See test/soak/worker/faulty.js. */
  readonly faults?: Readonly<Record<string, number>>;
}

export interface Soaked extends MixResult {
  readonly memory: readonly MemoryPoint[];
  readonly totals: Tally;
}

/** Sends mixed requests, good and bad, from many clients to one isolate, and collects all that is wrong. */
export async function soak({
  modules,
  store,
  photos,
  requests,
  pauses,
  vars = {},
  faults = {},
}: SoakOptions): Promise<Soaked> {
  const workerd = await startWorkerd(modules, store, { vars, inspect: true });
  try {
    await using client = new Client(workerd.url);
    await client.post('/soak/faults', JSON.stringify(faults));
    const kinds = await kindsOf(photos, SEED);
    const memory: MemoryPoint[] = [];
    const before = openHandles(workerd.pid);
    const mixed = await (async () => {
      await using watch = await MemoryWatch.start(workerd);
      const pause = async () => {
        memory.push(await watch.point());
      };
      return await sendMix({
        url: workerd.url,
        kinds,
        requests,
        pauses,
        clients: CLIENTS,
        seed: SEED,
        pause,
      });
    })();
    for (let i = 0; i < CLOSING_CHECKS && openHandles(workerd.pid) > before; i++)
      await setTimeout(CLOSING_PAUSE);
    const opened = openHandles(workerd.pid) - before;
    const { counts, reasons, unexpected } = Log.parse(await client.json('/soak/log'));
    const { status, body } = await client.get('/api/health');
    const failures = Object.entries(counts).filter(([key]) => /^5/.test(key) && key !== '503 overloaded');
    const totals = sum([...mixed.tallies.values()]);
    const total = kinds.reduce((all, { weight }) => all + weight, 0);
    const missing = kinds.filter((kind) => {
      const tally = mixed.tallies.get(kind);
      return (kind.weight / total) * mixed.requests > CERTAIN && tally && count(tally) === 0;
    });
    const wrong = [
      ...mixed.wrong,
      ...failures.map(([key, times]) => `the Worker has logged ${times} x ${key}`),
      ...(failures.length > 0 ? reasons : []),
      ...unexpected.map((line) => `unexpected in the log: ${line}`),
      ...missing.map(({ name }) => `never sent: ${name}`),
      ...memory.filter(({ peak }) => peak > PLATFORM_LIMIT).map(({ peak }) => `${peak} bytes were in use`),
      ...(opened > SPARE_HANDLES ? [`${opened} connections have stayed open`] : []),
      ...(status === 200 && JSON.parse(body.toString()).status === 'ok' ? [] : [`health: ${status} ${body}`]),
    ];
    return { ...mixed, wrong, memory, totals };
  } finally {
    await workerd.stop();
  }
}

/** Checks that memory has not grown. The first tenth, in which caches fill, does not count. */
export function expectFlat(memory: readonly MemoryPoint[]): void {
  const later = memory.slice(Math.ceil(memory.length / 10));
  const [first, second] = [later.slice(0, later.length / 2), later.slice(later.length / 2)];
  for (const [key, limit] of [
    ['lasting', FLAT],
    ['rss', FLAT_PROCESS],
  ] as const) {
    const [least, then] = [first, second].map((half) => Math.min(...half.map((point) => point[key])));
    expect((then ?? 0) - (least ?? 0), `growth of ${key} memory`).toBeLessThan(limit);
  }
}

const count = (tally: Tally): number => Object.values(tally).reduce((all, each) => all + each, 0);

function sum(tallies: readonly Tally[]): Tally {
  const all: Tally = { '200': 0, '4xx': 0, busy: 0, cut: 0, wrong: 0 };
  for (const tally of tallies) {
    for (const key of Object.keys(all) as (keyof Tally)[]) all[key] += tally[key];
  }
  return all;
}
