import { afterAll, beforeAll, expect, test } from 'vitest';
import { Connection } from '../../bench/load/exchange.ts';
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

/** So many requests until V8 has made of the code what it makes of it, and so many that are looked at. */
const FIRST = 800;
const LOOKED_AT = 400;
/** Bytes of a request's outputs, with the objects that hold them, are more than this. */
const FORGOTTEN = 150;

test('photos that were answered leave nothing behind', { timeout: 2 * TIMEOUT }, async () => {
  const workerd = await startWorkerd(await bundle('bench/worker/memory.js'), store, { inspect: true });
  const client = new Connection(workerd.url);
  try {
    const watch = await MemoryWatch.begin(workerd.url, workerd.inspector ?? '', workerd.pid);
    const [{ bytes, type } = { bytes: Buffer.alloc(0), type: '' }] = terms.pictures.small;
    const photo = { method: 'POST', path: '/api/predict', headers: { 'Content-Type': type }, body: bytes };
    const heapAfter = async (requests: number) => {
      for (let sent = 0; sent < requests; sent++) expect((await client.send(photo)).status).toBe(200);
      return (await watch.point(requests)).heap;
    };
    const before = await heapAfter(FIRST);
    expect((await heapAfter(LOOKED_AT)) - before).toBeLessThan(FORGOTTEN * LOOKED_AT);
    watch.end();
  } finally {
    client.close();
    await workerd.stop();
  }
});
