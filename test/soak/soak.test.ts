import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../../bench/workerd.ts';
import { Client } from './client.ts';
import { hasRetryAfter, keyOf } from './judge.ts';
import { type MemoryPoint, megabytes } from './memory.ts';
import { loadPhotos, type Photos } from './photos.ts';
import { at, upload } from './requests.ts';
import { soak } from './soak.ts';

const REQUESTS = Number(process.env.SOAK_REQUESTS ?? 4_000);
/** An hour, and more for a long soak on a busy machine. */
const TIMEOUT = Math.max(3_600_000, REQUESTS * 300);
/** More than the short window of wrangler.toml's rate limits admits in two periods, fewer than the long one does in one. */
const PHOTOS = 50;
/** Growth between the halves of a soak that counts as none, in bytes. */
const FLAT = { lasting: 3_000_000, rss: 30_000_000 } as const;

let photos: Photos;
let modules: Bundle;
let store: Store;

beforeAll(async () => {
  photos = await loadPhotos();
  modules = await bundle('test/soak/worker/faulty.js');
  store = await createStore();
});
afterAll(() => store?.remove());

test(`${REQUESTS} mixed requests: every answer is right, and nothing leaks`, { timeout: TIMEOUT }, async () => {
  const { wrong, memory, requests, tally, latencies } = await soak({
    modules,
    store,
    photos,
    requests: REQUESTS,
    pauses: 10,
  });
  console.table([{ requests, ...tally }]);
  console.table(
    Object.entries(latencies).map(([photos, latency]) => ({
      'honest photos': photos,
      scored: latency.count,
      'median / p95 / p99, ms': [50, 95, 99].map((share) => latency.percentile(share)).join(' / '),
    })),
  );
  console.table(
    memory.map(({ peak, lasting, rss }, i) => ({
      requests: Math.round((requests * (i + 1)) / memory.length),
      'in use at most, MB': megabytes(peak),
      'kept, MB': megabytes(lasting),
      'process, MB': megabytes(rss),
    })),
  );
  console.log(`${megabytes(Math.max(...memory.map(({ peak }) => peak)))} MB in use at most`);
  expect(wrong).toEqual([]);
  // The first tenth, in which caches fill, does not count.
  const later = memory.slice(Math.ceil(memory.length / 10));
  const least = (points: readonly MemoryPoint[], key: keyof typeof FLAT) =>
    Math.min(...points.map((point) => point[key]));
  for (const key of ['lasting', 'rss'] as const) {
    const [first, second] = [later.slice(0, later.length / 2), later.slice(later.length / 2)];
    const growth = least(second, key) - least(first, key);
    expect(growth, `growth of ${key} memory`).toBeLessThan(FLAT[key]);
  }
});

test('a client over its rate limit is told when to return, and served then', async () => {
  const workerd = await startWorkerd(modules, store, { vars: { RATE_LIMITS: 'on' }, rateLimits: true });
  const clients = Array.from({ length: PHOTOS }, () => new Client(workerd.url));
  const send = (client: Client, i: number) => client.send(upload(at(photos.small, i)));
  try {
    const answers = await Promise.all(clients.map(send));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(new Set(refused.map(keyOf))).toEqual(new Set(['429 rate_limited']));
    expect(refused.every(hasRetryAfter)).toBe(true);
    const seconds = Math.max(...refused.map(({ headers }) => Number(headers['retry-after'])));
    await setTimeout(seconds * 1000);
    expect(keyOf(await send(at(clients, 0), 0))).toBe('200');
    console.log(`${PHOTOS} photos at once: ${refused.length} x 429 with Retry-After of up to ${seconds} s`);
  } finally {
    for (const client of clients) await client.close();
    await workerd.stop();
  }
});
