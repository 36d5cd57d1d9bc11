import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { codecs } from '../../src/image/codecs.ts';
import type { ModelHost } from '../../src/model/host.ts';
import { modelKey } from '../../src/model/layout.ts';
import { checkModel } from '../../src/scheduled.ts';
import { createService } from '../../src/service.ts';
import { brightness, colour, colourManifest, manifestOf } from './model/publish.ts';
import { putVersion, signer } from './model/put-version.ts';
import { bind, bucket } from './service.ts';

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

const newHost = (): ModelHost => createService(parseConfig(bind()), bind(), codecs).models;

async function check(models: ModelHost): Promise<void> {
  const context = createExecutionContext();
  await checkModel(models, context);
  await waitOnExecutionContext(context);
}

test('the check names the version that would be loaded now', async () => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(newHost());
  expect(logged).toEqual([
    {
      check: 'ok',
      model: 'tiny',
      version: version.slice(0, 12),
      signer: signer.publicKey.fingerprint.slice(0, 12),
    },
  ]);
});

test('an isolate that serves an older version checks the new one and switches to it', async () => {
  const models = newHost();
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(models);
  const version = await putVersion(bucket, await colourManifest(), colour);
  await check(models);
  expect(logged.at(-1)).toMatchObject({ check: 'ok', version: version.slice(0, 12) });
});

test('a model changed in the bucket fails the run, although the isolate serves a valid one', async () => {
  const models = newHost();
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(models);
  await bucket.put(modelKey(version, 'model.onnx'), colour);
  await expect(check(models)).rejects.toThrow('signature');
  expect(logged.at(-1)).toMatchObject({
    check: 'failed',
    code: 'model_untrusted',
    reason: expect.stringContaining('signature'),
  });
});

test('a new version that fails a probe fails the run', async () => {
  const models = newHost();
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await check(models);
  const probes = [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [1, 0, 0] }];
  await putVersion(bucket, { ...(await colourManifest()), probes }, colour);
  await expect(check(models)).rejects.toThrow('does not behave');
});
