import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendTraffic, startWatched, watchLog } from './watch/traffic.ts';
import type { RunningWorker } from './wrangler.ts';

const PHOTOS = 500;
const TIMEOUT = 240_000;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWatched();
});
afterAll(async () => {
  await worker?.stop();
});

test('traffic like the validation photos raises no alarm', { timeout: TIMEOUT }, async () => {
  const log = await sendTraffic(worker, PHOTOS, false, 2);
  for (const last of [PHOTOS, PHOTOS / 2]) {
    const { stdout, exitCode } = await watchLog(worker, log, '--last', String(last));
    expect(stdout).toContain(`${last} answers\n`);
    expect(stdout).toMatch(/: stable\n\nnothing to report$/);
    expect(exitCode).toBe(0);
  }
});

test('traffic that shifts half-way does, in the second half', { timeout: TIMEOUT }, async () => {
  const log = await sendTraffic(worker, PHOTOS, true, 3);
  const { stdout, exitCode } = await watchLog(worker, log, '--last', String(PHOTOS / 2));
  expect(stdout).toMatch(/ALARM: \w{12} has scores that moved away from those of validation photos: .*: shifted$/);
  expect(exitCode).toBe(1);
});
