import { afterAll, beforeAll, expect, test } from 'vitest';
import { Connection, CUT } from '../../bench/load/exchange.ts';
import { MemoryWatch } from '../../bench/load/memory-watch.ts';
import type { Picture } from '../../bench/pictures.ts';
import { underLoad } from '../../bench/sections/soak.ts';
import { bundle, createStore, type Store, startWorkerd } from '../../bench/workerd.ts';
import drawn from '../src/pictures/pictures.json' with { type: 'json' };

/** Drawn pictures of a few pixels, in all formats. */
const NAMES = /^(jpeg|png|gif|webp)/;

const small = drawn.pictures.flatMap(({ name, file }): Picture[] => {
  const format = NAMES.exec(name)?.[1];
  return format ? [{ name, path: '', bytes: Buffer.from(file, 'base64'), type: `image/${format}` }] : [];
});

/** Every fourth: enough of each format. */
const terms = {
  pictures: { small: small.filter((_, i) => i % 4 === 0), large: [] },
  pauses: 2,
  vars: { UPLOAD_IDLE_TIMEOUT: '5000' },
  progress: () => {},
};

/** Most of it is for a busy machine. */
const TIMEOUT = 300_000;

let store: Store;

beforeAll(async () => {
  store = await createStore();
});
afterAll(() => store?.remove());

test('a few hundred mixed requests at once: each answer is right, nothing is left open', {
  timeout: TIMEOUT,
}, async () => {
  const { data, wrong } = await underLoad(await bundle('bench/worker/faulty.js'), store, {
    ...terms,
    requests: 250,
  });
  expect(wrong).toEqual([]);
  expect(data.requests).toBeGreaterThanOrEqual(250);
  const answered = data.kinds.reduce((sum, { answers }) => sum + answers['200'], 0);
  expect(answered).toBeGreaterThan(60);
  expect(data.memory.map(({ requests }) => requests)).toHaveLength(2);
});

test('a Worker that now and then answers another score is found out', { timeout: TIMEOUT }, async () => {
  const { wrong } = await underLoad(await bundle('bench/worker/wrong.js'), store, {
    ...terms,
    requests: 150,
  });
  expect(wrong).toContainEqual(expect.stringMatching(/: \{"label":.* instead of \{"label":/));
});

test('a body that is refused for its length: the answer is not lost, however many ask', {
  timeout: TIMEOUT,
}, async () => {
  const workerd = await startWorkerd(await bundle('bench/worker/faulty.js'), store);
  const clients = Array.from({ length: 16 }, () => new Connection(workerd.url));
  const body = Buffer.alloc(30_000_000);
  const tooLong = { method: 'POST', path: '/api/predict', body, refusedEarly: true };
  try {
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(clients.map((client) => client.send(tooLong)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([413]));
    }
  } finally {
    for (const client of clients) client.close();
    await workerd.stop();
  }
});

/** So many requests until V8 has made of the code most of what it makes of it, and so many at each look after that. */
const FIRST = 600;
const LOOKED_AT = 200;
const LOOKS = 3;
/** Bytes of a request's outputs, or of a request itself, with the objects that hold them, are more than this. */
const FORGOTTEN = 150;

/**
 * Sends this over and over; bytes of JavaScript heap that it leaves behind, each time. The least of some looks, since V8
 * compiles code now and then, and what leaks leaks always.
 */
async function leftBehind(send: (client: Connection) => Promise<void>): Promise<number> {
  const workerd = await startWorkerd(await bundle('bench/worker/memory.js'), store, { inspect: true });
  const client = new Connection(workerd.url);
  try {
    const watch = await MemoryWatch.begin(workerd.url, workerd.inspector ?? '', workerd.pid);
    const heapAfter = async (requests: number) => {
      for (let sent = 0; sent < requests; sent++) await send(client);
      return (await watch.point(requests)).heap;
    };
    let before = await heapAfter(FIRST);
    let least = Number.POSITIVE_INFINITY;
    for (let look = 0; look < LOOKS; look++) {
      const after = await heapAfter(LOOKED_AT);
      least = Math.min(least, (after - before) / LOOKED_AT);
      before = after;
    }
    watch.end();
    return least;
  } finally {
    client.close();
    await workerd.stop();
  }
}

const [{ bytes, type } = { bytes: Buffer.alloc(0), type: '' }] = terms.pictures.small;
const photo = { method: 'POST', path: '/api/predict', headers: { 'Content-Type': type }, body: bytes };

test('photos that were answered leave nothing behind', { timeout: 2 * TIMEOUT }, async () => {
  const bytesEach = await leftBehind(async (client) => expect((await client.send(photo)).status).toBe(200));
  expect(bytesEach).toBeLessThan(FORGOTTEN);
});

test('uploads that were broken off leave nothing behind', { timeout: 2 * TIMEOUT }, async () => {
  const bytesEach = await leftBehind(async (client) => {
    expect(await client.send(photo, { kind: 'cut', share: 0.5, after: 5 })).toBe(CUT);
  });
  expect(bytesEach).toBeLessThan(FORGOTTEN);
});
