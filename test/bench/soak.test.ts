import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Picture } from '../../bench/pictures.ts';
import { underLoad } from '../../bench/sections/soak.ts';
import { bundle, createStore, type Store } from '../../bench/workerd.ts';
import drawn from '../src/pictures/pictures.json' with { type: 'json' };

const FORMATS = ['jpeg', 'png', 'gif', 'webp'];

/** Drawn pictures of a few pixels, in all formats. */
const small = drawn.pictures.flatMap(({ name, file }): Picture[] => {
  const format = FORMATS.find((each) => name.startsWith(each));
  return format ? [{ name, path: '', bytes: Buffer.from(file, 'base64'), type: `image/${format}` }] : [];
});

/** Every fourth: enough of each format. */
const terms = {
  pictures: { small: small.filter((_, i) => i % 4 === 0), large: [] },
  pauses: 2,
  vars: { UPLOAD_IDLE_TIMEOUT: '1000' },
  progress: () => {},
};

let store: Store;

beforeAll(async () => {
  store = await createStore();
});
afterAll(() => store?.remove());

test('a few hundred mixed requests at once: each answer is right, nothing is left open', async () => {
  const { data, wrong } = await underLoad(await bundle('bench/worker/faulty.js'), store, {
    ...terms,
    requests: 300,
  });
  expect(wrong).toEqual([]);
  expect(data.requests).toBeGreaterThanOrEqual(300);
  const answered = data.kinds.reduce((sum, { answers }) => sum + answers['200'], 0);
  expect(answered).toBeGreaterThan(80);
  expect(data.memory.map(({ requests }) => requests)).toHaveLength(2);
});

test('a Worker that now and then answers another score is found out', async () => {
  const { wrong } = await underLoad(await bundle('bench/worker/wrong.js'), store, {
    ...terms,
    requests: 200,
  });
  expect(wrong).toContainEqual(expect.stringMatching(/: \{"label":.* instead of \{"label":/));
});
