import { expect, inject, test } from 'vitest';
import type { BatchEntry, Prediction } from '../../src/api/schemas.ts';
import { ApiProblem, createClient } from '../../static/client/client.js';
import { solidPng } from '../pictures/png.ts';

const WHITE = new Blob([await solidPng([250, 250, 250])], { type: 'image/png' });
const BLACK = new Blob([await solidPng([5, 5, 5])], { type: 'image/png' });
const TEXT = new Blob(['no photo'], { type: 'text/plain' });

const origin = inject('sharedService');

test('predict returns the prediction of one photo and reports progress', async () => {
  const sent: number[] = [];
  const client = createClient({ origin });
  const answer: Prediction = await client.predict(WHITE, { onProgress: (part) => sent.push(part) });
  expect(answer).toMatchObject({ label: 'husky', threshold: 0.5, image: { format: 'png' } });
  expect(answer.heatmap).toBe(undefined);
  expect(sent).toEqual([0, 1]);
  expect((await client.predict(WHITE, { heatmap: true })).heatmap).toBe(null);
});

test('predictMany returns one entry per photo, in order, across several batches', async () => {
  let requests = 0;
  const client = createClient({
    origin,
    fetch: (...args) => {
      requests++;
      return fetch(...args);
    },
  });
  const entries: BatchEntry[] = await client.predictMany([WHITE, TEXT, BLACK, BLACK, WHITE, WHITE, TEXT]);
  expect(entries.map((entry) => ('label' in entry ? entry.label : entry.code))).toEqual([
    'husky',
    'unsupported_media_type',
    'not husky',
    'not husky',
    'husky',
    'husky',
    'unsupported_media_type',
  ]);
  expect(requests, 'what is served, two of three, one of one').toBe(4);
  expect(await client.predictMany([])).toEqual([]);
});

test('model and health describe the service', async () => {
  const client = createClient({ origin });
  const model = await client.model();
  expect([model.name, model.service.batch, model.service.token]).toEqual(['tiny-brightness', 3, false]);
  expect((await client.health()).status).toBe('ok');
});

test('a failure carries the problem of the service', async () => {
  const failure = await createClient({ origin })
    .predict(TEXT)
    .catch((reason: unknown) => reason);
  if (!(failure instanceof ApiProblem)) throw new Error('no ApiProblem');
  expect(failure).toMatchObject({ name: 'ApiProblem', code: 'unsupported_media_type', status: 415 });
  expect(failure.message).toBe(failure.detail);
  expect(failure.requestId).toMatch(/^[\w-]{8,}$/);
});

test.for([
  [429, { 'Retry-After': '7', 'X-Request-Id': 'abc' }, '{"code":"rate_limited"}', 'rate_limited', 7],
  [502, {}, '<h1>Bad gateway</h1>', 'unexpected', undefined],
  [200, {}, '{"label":"husky"}', 'unexpected', undefined],
] as const)('%d %o is reported as it is', async ([status, headers, body, code, retryAfter]) => {
  const client = createClient({
    origin: 'https://husky.example',
    token: 'secret',
    fetch: async (_, init) => {
      expect(new Headers(init?.headers).get('authorization')).toBe('Bearer secret');
      return new Response(body, { status, headers });
    },
  });
  await expect(client.predict(WHITE)).rejects.toMatchObject({ code, status, retryAfter });
});

test('an unreachable service, an aborted request and a missing origin', async () => {
  const client = createClient({ origin: 'http://127.0.0.1:9' });
  await expect(client.predict(WHITE)).rejects.toMatchObject({ code: 'unreachable', status: 0 });
  const stopped = createClient({ origin }).predict(WHITE, { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  expect(() => createClient()).toThrow(TypeError);
});
