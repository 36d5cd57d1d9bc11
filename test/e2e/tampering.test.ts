import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listVersions } from '../../registry/versions.ts';
import { modelKey } from '../../src/model/layout.ts';
import { solidPng } from '../pictures/png.ts';
import { tinyRelease } from './page-models.ts';
import { startWorker } from './wrangler.ts';

let folder: string;

beforeAll(async () => {
  folder = await tinyRelease('brightness');
});
afterAll(() => rm(folder, { recursive: true }));

/** Replaces the model in the bucket of a Worker before its first request. Returns the answer and the log. */
async function tampered(replace: (onnx: Buffer) => Buffer): Promise<{ problem: unknown; logs: string }> {
  // Published after the start, so that the Worker has not loaded the model yet.
  const worker = await startWorker({ release: null, vars: { MAX_MODEL_BYTES: 1_000_000 } });
  try {
    await worker.publish(folder);
    const { key, onnx } = await worker.bucket(async (r2) => {
      const name = modelKey((await listVersions(r2))[0] ?? '', 'model.onnx');
      return { key: name, onnx: await (await r2.get(name))?.arrayBuffer() };
    });
    const replaced = replace(Buffer.from(onnx ?? new ArrayBuffer(0)));
    await worker.bucket(async (r2) => {
      await r2.put(key, replaced);
    });
    const body = await solidPng([255, 255, 255]);
    const response = await fetch(`${worker.url}/api/predict`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'image/png' },
    });
    expect(response.status).toBe(503);
    // wrangler passes log lines on after the answer.
    await expect.poll(() => worker.logs(), { timeout: 10_000 }).toContain('"route":"/api/predict"');
    return { problem: await response.json(), logs: worker.logs() };
  } finally {
    await worker.stop();
  }
}

test('a model with one changed byte is refused, and the log gives the reason', async () => {
  const { problem, logs } = await tampered((onnx) => {
    onnx[200] = (onnx[200] ?? 0) ^ 1;
    return onnx;
  });
  expect(problem).toMatchObject({ code: 'model_untrusted' });
  expect(logs).toMatch(/"code":"model_untrusted","reason":"The signature of the model is not valid\. .+"/);
  expect(JSON.stringify(problem)).not.toMatch(/models\/|\.ts|at /);
});

test('an object above the limit is refused before it is read', async () => {
  const { problem, logs } = await tampered(() => Buffer.alloc(2_000_000));
  expect(problem).toMatchObject({ code: 'model_untrusted' });
  expect(logs).toMatch(/model\.onnx takes 2000000 bytes, \d+ are allowed/);
});
