import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../../bench/workerd.ts';
import { tinyRelease } from '../e2e/page-models.ts';
import drawn from '../src/pictures/pictures.json' with { type: 'json' };
import { Client, CUT } from './client.ts';
import { MemoryWatch } from './memory.ts';
import { at, upload } from './requests.ts';
import { soak } from './soak.ts';

const TIMEOUT = 300_000;
/** Requests before the first measurement of memory, and between two. */
const [FIRST, BETWEEN] = [600, 200];
const MEASUREMENTS = 3;
/** A leak would be larger: a request, or the outputs for it, takes more bytes. */
const FORGOTTEN = 150;

/** Drawn pictures of a few pixels: every fourth is enough of each format. */
const small = drawn.pictures
  .flatMap(({ name, file }) => {
    const [, format] = /^(jpeg|png|gif|webp)/.exec(name) ?? [];
    return format ? [{ name, bytes: Buffer.from(file, 'base64'), type: `image/${format}` }] : [];
  })
  .filter((_, i) => i % 4 === 0);

let modules: Bundle;
let store: Store;
let tinyStore: Store;

beforeAll(async () => {
  modules = await bundle('test/soak/worker/faulty.js');
  store = await createStore();
  const tiny = await tinyRelease('brightness');
  tinyStore = await createStore(tiny);
  await rm(tiny, { recursive: true });
});
afterAll(async () => {
  await store?.remove();
  await tinyStore?.remove();
});

const soakShortly = (requests: number, faults?: Readonly<Record<string, number>>) =>
  soak({
    modules,
    store,
    photos: { small, large: [] },
    requests,
    pauses: 2,
    vars: { UPLOAD_IDLE_TIMEOUT: '5000' },
    ...(faults && { faults }),
  });

test('a few hundred mixed requests: every answer is right, and nothing stays open', {
  timeout: TIMEOUT,
}, async () => {
  const { wrong, requests, tally, memory } = await soakShortly(250);
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThanOrEqual(250);
  expect(tally['200']).toBeGreaterThan(60);
  expect(memory).toHaveLength(2);
});

test('a soak notices a Worker whose score is sometimes wrong', { timeout: TIMEOUT }, async () => {
  const { wrong } = await soakShortly(150, { wrongScore: 40 });
  expect(wrong).toContainEqual(expect.stringMatching(/: \{"label":.* instead of \{"label":/));
});

test('no client loses the answer to a body that is refused for its length', {
  timeout: TIMEOUT,
}, async () => {
  const workerd = await startWorkerd(modules, store);
  const clients = Array.from({ length: 16 }, () => new Client(workerd.url));
  const tooLong = { ...upload({ bytes: Buffer.alloc(30_000_000), type: 'image/jpeg' }), refusedEarly: true };
  try {
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(clients.map((client) => client.send(tooLong)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([413]));
    }
  } finally {
    for (const client of clients) await client.close();
    await workerd.stop();
  }
});

/** The bytes of heap that a request for a tiny model leaves: the least of several measurements, as V8 sometimes compiles code in between. */
async function measureLeak(send: (client: Client) => Promise<void>): Promise<number> {
  const workerd = await startWorkerd(modules, tinyStore, { inspect: true });
  try {
    await using client = new Client(workerd.url);
    await using watch = await MemoryWatch.start(workerd);
    const heapAfter = async (requests: number) => {
      for (let sent = 0; sent < requests; sent++) await send(client);
      return (await watch.point()).heap;
    };
    let before = await heapAfter(FIRST);
    const left = [];
    for (let i = 0; i < MEASUREMENTS; i++) {
      const after = await heapAfter(BETWEEN);
      left.push((after - before) / BETWEEN);
      before = after;
    }
    return Math.min(...left);
  } finally {
    await workerd.stop();
  }
}

test('a scored photo leaves nothing behind', { timeout: 2 * TIMEOUT }, async () => {
  const bytes = await measureLeak(async (client) => {
    expect((await client.send(upload(at(small, 0)))).status).toBe(200);
  });
  expect(bytes).toBeLessThan(FORGOTTEN);
});

test('an upload that is broken off leaves nothing behind', { timeout: 2 * TIMEOUT }, async () => {
  const bytes = await measureLeak(async (client) => {
    expect(await client.send(upload(at(small, 0)), { kind: 'cut', share: 0.5, after: 5 })).toBe(CUT);
  });
  expect(bytes).toBeLessThan(FORGOTTEN);
});
