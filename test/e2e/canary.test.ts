import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../../bench/workerd.ts';
import { readAudit } from '../../registry/audit.ts';
import { abortCanary, startCanary } from '../../registry/canary.ts';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { promote, rollback } from '../../registry/promote.ts';
import { listVersions } from '../../registry/versions.ts';
import { channelKey, modelKey } from '../../src/model/layout.ts';
import { solidPng } from '../pictures/png.ts';
import { CanaryScene, likelyRange, noSurvey } from './canary/isolates.ts';
import { tinyRelease } from './page-models.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

const TIMEOUT = 240_000;
/** Practically every isolate draws the candidate. */
const ALL = 99.999;

let worker: RunningWorker;
let scene: CanaryScene;
let photo: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  photo = await solidPng([0, 0, 255], 64);
  worker = await startWorker({ model: 'brightness', vars: { MODEL_REFRESH: 100 } });
  scene = await CanaryScene.create(await bundle('src/index.ts'));
}, TIMEOUT);
afterAll(async () => {
  await scene?.remove();
  await worker?.stop();
});

/** The version in the header of a prediction by `wrangler dev`. */
async function predict(): Promise<string> {
  const init = { method: 'POST', body: photo, headers: { 'Content-Type': 'image/png' } };
  const response = await fetch(`${worker.url}/api/predict`, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return response.headers.get('X-Model-Version') ?? '';
}

async function untilServed(version: string): Promise<void> {
  for (let look = 0; look < 200; look++) {
    if (version.startsWith(await predict())) return;
    await setTimeout(50);
  }
  throw new Error(`${version} is not served`);
}

/** Uploads without a pause while `use` runs, and returns the failures. */
async function uploadDuring(use: () => Promise<void>): Promise<unknown[]> {
  const failures: unknown[] = [];
  let done = false;
  const upload = async () => {
    while (!done) await predict().catch((error: unknown) => failures.push(error));
  };
  const uploads = Promise.all([upload(), upload()]);
  try {
    await use();
  } finally {
    done = true;
    await uploads;
  }
  return failures;
}

test('wrangler dev follows canary, abort, promotion and rollback, and no upload fails', {
  timeout: TIMEOUT,
}, async () => {
  const { keys } = worker;
  const [stable = ''] = await worker.bucket(listVersions);
  await worker.publish(await tinyRelease('spots'));
  const candidate = (await worker.bucket(listVersions)).find((version) => version !== stable) ?? '';
  await worker.bucket((r2) => rollback(r2, DEFAULT_CHANNEL, keys));
  await untilServed(stable);
  const begin = () => worker.bucket((r2) => startCanary(r2, DEFAULT_CHANNEL, candidate, { share: ALL, keys }));
  const role = async () => (await (await fetch(`${worker.url}/api/model`)).json()).role;
  const failures = await uploadDuring(async () => {
    await begin();
    await untilServed(candidate);
    expect(await role()).toBe('candidate');
    await worker.bucket((r2) => abortCanary(r2, DEFAULT_CHANNEL));
    await untilServed(stable);
    expect(await role()).toBe('stable');
    await begin();
    await untilServed(candidate);
    await worker.bucket((r2) => promote(r2, DEFAULT_CHANNEL, '', keys));
    await expect.poll(role, { timeout: 20_000 }).toBe('stable');
    await untilServed(candidate);
    await worker.bucket((r2) => rollback(r2, DEFAULT_CHANNEL, keys));
    await untilServed(stable);
  });
  expect(failures).toEqual([]);
  const { records, faults } = await worker.bucket(readAudit);
  expect(faults).toEqual([]);
  const actions = ['publish', 'publish', 'rollback', 'canary', 'abort', 'canary', 'promote', 'rollback'];
  expect(records.map(({ action }) => action)).toEqual(actions);
});

test('a candidate that was changed in the bucket costs wrangler dev no upload', { timeout: TIMEOUT }, async () => {
  const short = await predict();
  const versions = await worker.bucket(listVersions);
  const [stable, candidate] = [true, false].map((is) => versions.find((version) => version.startsWith(short) === is));
  const failures = await uploadDuring(async () => {
    await worker.bucket(async (r2) => {
      await r2.put(modelKey(candidate ?? '', 'model.onnx'), 'other bytes');
      const pointer = { version: stable, candidate: { version: candidate, share: ALL } };
      await r2.put(channelKey(DEFAULT_CHANNEL), JSON.stringify(pointer));
    });
    const line = `"candidate":"refused","version":"${candidate?.slice(0, 12)}"`;
    await expect.poll(() => worker.logs().includes(line), { timeout: 20_000 }).toBe(true);
  });
  expect(failures).toEqual([]);
  expect(await predict()).toBe(short);
});

test('isolates of two processes serve what they draw, as far as chance allows', { timeout: TIMEOUT }, async () => {
  await scene.startCanary('colour', 50);
  const survey = noSurvey();
  await scene.survey(survey, { isolates: 3, photos: 3 });
  expect(survey).toMatchObject({ isolates: 6, requests: 18, refusals: 0, faults: [] });
  const [least, most] = likelyRange(6, 0.5);
  expect(survey.candidates).toBeGreaterThanOrEqual(least);
  expect(survey.candidates).toBeLessThanOrEqual(most);
});

test('a bad candidate costs new isolates no request', { timeout: TIMEOUT }, async () => {
  await scene.startCanary('independent', ALL, (r2, version) => r2.put(modelKey(version, 'model.onnx'), 'other bytes'));
  const survey = noSurvey();
  await scene.survey(survey, { isolates: 2, photos: 3 });
  expect(survey).toEqual({ isolates: 4, candidates: 0, refusals: 4, requests: 12, faults: [] });
});

test.each([
  [16, 0.5, 1, 15],
  [96, 0.2, 6, 36],
])('of %i draws with probability %d, chance allows %i to %i', (trials, probability, least, most) => {
  expect(likelyRange(trials, probability)).toEqual([least, most]);
});
