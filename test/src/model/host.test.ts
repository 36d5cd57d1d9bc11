import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { channelKey, modelKey } from '../../../src/model/layout.ts';
import { solidPng } from '../../pictures/png.ts';
import { bucket, newService, raw, type Service } from '../service.ts';
import { brightness, colour, manifestOf, putVersion } from './publish.ts';

let logged: string[];

beforeEach(() => {
  logged = [];
  const keep = (line: string) => {
    logged.push(line);
  };
  vi.spyOn(console, 'error').mockImplementation(keep);
  vi.spyOn(console, 'log').mockImplementation(keep);
});

afterEach(async () => {
  vi.restoreAllMocks();
  const { objects } = await bucket.list();
  await bucket.delete(objects.map(({ key }) => key));
});

const predict = async (service: Service) => service('/api/predict', raw(await solidPng([255, 255, 255])));

/** Asks all routes that need the model; each must refuse with this code and log a reason that matches. */
async function expectRefusal(service: Service, code: string, reason: RegExp): Promise<void> {
  const responses = [await predict(service), await service('/api/health'), await service('/api/model')];
  for (const response of responses) {
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ code });
    expect(body).not.toMatch(/models\/|channels\/|at .*\.ts/);
  }
  expect(logged).toHaveLength(responses.length);
  for (const line of logged)
    expect(JSON.parse(line)).toMatchObject({ code, reason: expect.stringMatching(reason) });
}

test('nothing published', async () => {
  await expectRefusal(newService(), 'model_unavailable', /channels\/production\.json does not exist/);
});

test('a pointer to nothing', async () => {
  await bucket.put(channelKey('production'), JSON.stringify({ version: 'f'.repeat(64) }));
  await expectRefusal(newService(), 'model_unavailable', /manifest\.json does not exist/);
});

test.each(['', '{', '{"version":"../../secret"}', '{"version":1}'])(
  'a pointer that says %j',
  async (pointer) => {
    await bucket.put(channelKey('production'), pointer);
    await expectRefusal(newService(), 'model_untrusted', /does not name a version/);
  },
);

test('one byte of the model changed', async () => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  const changed = brightness.slice();
  changed[100] = (changed[100] ?? 0) ^ 1;
  await bucket.put(modelKey(version, 'model.onnx'), changed);
  await expectRefusal(newService(), 'model_untrusted', /not the one that its manifest names/);
});

test('the manifest edited', async () => {
  const manifest = await manifestOf(brightness);
  const version = await putVersion(bucket, manifest, brightness);
  await bucket.put(modelKey(version, 'manifest.json'), JSON.stringify({ ...manifest, threshold: 0.1 }));
  await expectRefusal(newService(), 'model_untrusted', /not the one that the version names/);
});

test('a manifest of another form', async () => {
  await putVersion(bucket, { ...(await manifestOf(brightness)), labels: ['only one'] }, brightness);
  await expectRefusal(newService(), 'model_untrusted', /manifest is not valid/);
});

test('a model that is larger than is allowed', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await expectRefusal(newService({ MAX_MODEL_BYTES: 100 }), 'model_untrusted', /100 are allowed/);
});

test('a file that is no ONNX', async () => {
  const junk = new Uint8Array(200).fill(7);
  await putVersion(bucket, await manifestOf(junk), junk);
  await expectRefusal(newService(), 'model_untrusted', /cannot be run/);
});

test('an ONNX with another output than the manifest says', async () => {
  const manifest = await manifestOf(brightness);
  await putVersion(bucket, { ...manifest, output: { ...manifest.output, name: 'other' } }, brightness);
  await expectRefusal(newService(), 'model_untrusted', /other inputs or outputs/);
});

test('an ONNX that answers in another shape than the manifest says', async () => {
  await putVersion(bucket, await manifestOf(colour), colour);
  const response = await predict(newService());
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'model_untrusted' });
});

test('a model that verifies but does not behave', async () => {
  const manifest = await manifestOf(brightness);
  const [white, ...others] = manifest.probes;
  if (!white) throw new Error('no probe');
  await putVersion(bucket, { ...manifest, probes: [{ ...white, expected: [0.5] }, ...others] }, brightness);
  await expectRefusal(newService(), 'model_untrusted', /does not behave .*: white$/);
});

test('a failed load is forgotten: once the model is there, the same isolate serves it', async () => {
  const service = newService();
  expect((await predict(service)).status).toBe(503);
  await putVersion(bucket, await manifestOf(brightness), brightness);
  expect((await predict(service)).status).toBe(200);
});

/** R2 whose reads do as they are told: a hanging or a failing store cannot be had from a real one. */
function bucketThat(read: () => Promise<never>): R2Bucket {
  return new Proxy(bucket, { get: (target, key) => (key === 'get' ? read : Reflect.get(target, key)) });
}

test('R2 fails', async () => {
  const failing = bucketThat(() => Promise.reject(new Error('internal error 10001')));
  await expectRefusal(newService({ MODELS: failing }), 'model_unavailable', /internal error 10001/);
});

test('R2 hangs: nobody waits for ever, and the next request tries anew', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  let hangs = true;
  const hanging = new Proxy(bucket, {
    get: (target, key) => {
      if (key === 'get' && hangs) return () => new Promise(() => {});
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const service = newService({ MODELS: hanging, MODEL_LOAD_TIMEOUT: 500 }, { waits: false });
  const together = await Promise.all([predict(service), predict(service)]);
  expect(together.map(({ status }) => status)).toEqual([503, 503]);
  hangs = false;
  expect((await predict(service)).status).toBe(200);
});

test('requests that come together share one load', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  const get = vi.fn((key: string) => bucket.get(key));
  const counting = new Proxy(bucket, {
    get: (target, key) => (key === 'get' ? get : Reflect.get(target, key)),
  });
  const service = newService({ MODELS: counting });
  const responses = await Promise.all(Array.from({ length: 8 }, () => predict(service)));
  expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(get).toHaveBeenCalledTimes(3);
});
