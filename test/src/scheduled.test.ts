import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configOf, type Env } from '../../src/config.ts';
import { createIsolate, type Isolate } from '../../src/isolate.ts';
import { modelKey } from '../../src/model/layout.ts';
import { checkModel } from '../../src/scheduled.ts';
import { brightness, colour, colourManifest, manifestOf } from './model/publish.ts';
import { putVersion, signer } from './model/put-version.ts';
import { bucket } from './service.ts';

let logged: unknown[];

beforeEach(() => {
  logged = [];
  const keep = (line: string) => {
    logged.push(JSON.parse(line));
  };
  vi.spyOn(console, 'error').mockImplementation(keep);
  vi.spyOn(console, 'log').mockImplementation(keep);
});
afterEach(() => vi.restoreAllMocks());

const bound: Env = { ...env, ...{ MODEL_PUBLIC_KEYS: signer.publicKeyPem } };

async function check(isolate: Isolate): Promise<void> {
  const context = createExecutionContext();
  await checkModel(isolate, context);
  await waitOnExecutionContext(context);
}

test('what would be loaded now is checked and named', async () => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(createIsolate(configOf(bound), bound.MODELS));
  expect(logged).toEqual([
    {
      check: 'ok',
      model: 'tiny',
      version: version.slice(0, 12),
      signer: signer.publicKey.fingerprint.slice(0, 12),
    },
  ]);
});

test('an isolate that serves an older version checks the new one, and takes it', async () => {
  const isolate = createIsolate(configOf(bound), bound.MODELS);
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(isolate);
  const version = await putVersion(bucket, await colourManifest(), colour);
  await check(isolate);
  expect(logged.at(-1)).toMatchObject({ check: 'ok', version: version.slice(0, 12) });
});

test('a model that was changed in the bucket fails the run, though the isolate has a good one', async () => {
  const isolate = createIsolate(configOf(bound), bound.MODELS);
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(isolate);
  await bucket.put(modelKey(version, 'model.onnx'), colour);
  await expect(check(isolate)).rejects.toThrow('signature');
  expect(logged.at(-1)).toMatchObject({
    check: 'failed',
    code: 'model_untrusted',
    reason: expect.stringContaining('signature'),
  });
});

test('a new version that does not behave fails the run', async () => {
  const isolate = createIsolate(configOf(bound), bound.MODELS);
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(isolate);
  const probes = [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [1, 0, 0] }];
  await putVersion(bucket, { ...(await colourManifest()), probes }, colour);
  await expect(check(isolate)).rejects.toThrow('does not behave');
});
