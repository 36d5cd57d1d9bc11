import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Picture } from '../../bench/pictures.ts';
import { underLoad } from '../../bench/sections/soak.ts';
import { bundle, createStore, type Store } from '../../bench/workerd.ts';
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
