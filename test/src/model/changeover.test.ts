import * as ort from 'onnxruntime-web/wasm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { modelKey } from '../../../src/model/layout.ts';
import { runtime } from '../../../src/model/worker-runtime.ts';
import { solidPng } from '../../pictures/png.ts';
import { bucket, newService, raw, type Service } from '../service.ts';
import { newSigner } from './oms/signer.ts';
import { brightness, colour, colourManifest, manifestOf, splitFiles, splitManifest, trap } from './publish.ts';
import { pointAt, putFiles, putVersion } from './put-version.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  const { objects } = await bucket.list();
  await bucket.delete(objects.map(({ key }) => key));
});

/** An isolate that reads the channel on every request. */
const attentive = (bindings = {}) => newService({ MODEL_REFRESH: 0, ...bindings });
const predict = async (service: Service) => service('/api/predict', raw(await solidPng([0, 0, 255])));
const health = async (service: Service) => (await service('/api/health')).json();

async function served(service: Service): Promise<string> {
  const { digest } = await (await service('/api/model')).json<{ digest: string }>();
  return digest;
}

test('an isolate follows the channel without a restart, to another type of network and back', async () => {
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = attentive();
  expect(await served(service)).toBe(first);

  const second = await putVersion(bucket, await colourManifest(), colour);
  await service('/api/health');
  expect(await served(service)).toBe(second);
  expect(await (await predict(service)).json()).toMatchObject({ label: 'blue' });

  await pointAt(bucket, first);
  await service('/api/health');
  expect(await served(service)).toBe(first);
  expect(await health(service)).toMatchObject({ status: 'ok' });
});

test('the channel is not read before MODEL_REFRESH has passed', async () => {
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = newService({ MODEL_REFRESH: 600_000 });
  await served(service);
  await putVersion(bucket, await colourManifest(), colour);
  await predict(service);
  expect(await served(service)).toBe(first);
});

test('an unchanged channel costs one read of its pointer', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  const get = vi.fn((key: string, options?: R2GetOptions) => bucket.get(key, options));
  const counting = new Proxy(bucket, {
    get: (target, key) => (key === 'get' ? get : Reflect.get(target, key)),
  });
  const service = attentive({ MODELS: counting });
  await predict(service);
  get.mockClear();
  await predict(service);
  const keys = new Set(get.mock.calls.map(([key]) => key));
  expect([...keys]).toEqual(['channels/production.json']);
});

/** Publishes something bad over a good version, which must stay served while health reports why. */
async function expectDegraded(spoil: () => Promise<unknown>, code: string): Promise<Service> {
  const good = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = attentive();
  expect(await served(service)).toBe(good);
  await spoil();
  for (let request = 0; request < 3; request++) {
    expect((await predict(service)).status).toBe(200);
    expect(await served(service)).toBe(good);
  }
  expect(await health(service)).toMatchObject({
    status: 'degraded',
    model: { version: good.slice(0, 12) },
    reason: { code, detail: expect.any(String), since: expect.stringMatching(/^\d{4}-/) },
  });
  await pointAt(bucket, good);
  await service('/api/health');
  expect(await health(service)).toMatchObject({ status: 'ok' });
  return service;
}

test('a new version signed by another key is refused', () =>
  expectDegraded(
    async () => putVersion(bucket, await colourManifest(), colour, { by: await newSigner() }),
    'model_untrusted',
  ));

test('a new version with a changed byte is refused', () =>
  expectDegraded(async () => {
    const version = await putVersion(bucket, await colourManifest(), colour);
    const changed = colour.slice();
    changed[50] = (changed[50] ?? 0) ^ 1;
    await bucket.put(modelKey(version, 'model.onnx'), changed);
  }, 'model_untrusted'));

test('a new version that verifies but fails a probe is replaced by the old one', () =>
  expectDegraded(async () => {
    const probes = [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [1, 0, 0] }];
    await putVersion(bucket, { ...(await colourManifest()), probes }, colour);
  }, 'model_untrusted'));

/** A manifest whose decisive probe holds and whose other one does not. */
async function failsLater() {
  const manifest = await manifestOf(brightness);
  const wrong = { name: 'wrong', kind: 'solid', rgb: [0, 0, 0], expected: [0.4] };
  return { ...manifest, name: 'later', probes: [manifest.probes[0], manifest.probes[1], wrong] };
}

test('a new version that fails a later probe is replaced by the old one after its first answer', () =>
  expectDegraded(async () => putVersion(bucket, await failsLater(), brightness), 'model_untrusted'));

test('a new isolate answers once with a version that fails a later probe, then never again', async () => {
  await putVersion(bucket, await failsLater(), brightness);
  const service = attentive();
  expect((await predict(service)).status).toBe(200);
  for (let request = 0; request < 3; request++) {
    const response = await predict(service);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'model_untrusted', detail: expect.stringContaining('behave') });
  }
  expect(await health(service)).toMatchObject({ code: 'model_untrusted' });
});

test('health waits for all probes', async () => {
  await putVersion(bucket, await failsLater(), brightness);
  expect(await health(attentive())).toMatchObject({ code: 'model_untrusted' });
});

describe('a version that traps', () => {
  const publishTrap = async () => putVersion(bucket, { ...(await manifestOf(trap)), name: 'trap' }, trap);

  test('is replaced by the old one', () => expectDegraded(publishTrap, 'model_untrusted'));

  test('is refused by a new isolate, which says why', async () => {
    await publishTrap();
    const service = attentive();
    for (let request = 0; request < 3; request++) {
      const response = await predict(service);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: 'model_untrusted', detail: 'The model cannot be run.' });
    }
  });

  test('runs once in an isolate, however often the channel returns to it', async () => {
    const good = await putVersion(bucket, await manifestOf(brightness), brightness);
    const service = attentive();
    await served(service);
    const bad = await publishTrap();
    await served(service);
    const create = vi.spyOn(ort.InferenceSession, 'create');
    for (let round = 0; round < 200; round++) {
      await pointAt(bucket, round % 2 === 0 ? good : bad);
      expect((await predict(service)).status).toBe(200);
    }
    expect(await health(service)).toMatchObject({ status: 'degraded', reason: { code: 'model_untrusted' } });
    expect(create).not.toHaveBeenCalled();
  });
});

test('a good version replaces one whose stored files were damaged meanwhile', async () => {
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = attentive();
  expect(await served(service)).toBe(first);
  await bucket.put(modelKey(first, 'model.onnx'), 'other bytes');
  const second = await putVersion(bucket, await colourManifest(), colour);
  await service('/api/health');
  expect(await served(service)).toBe(second);
  expect(await health(service)).toMatchObject({ status: 'ok' });
});

test('a bad version over one whose stored files were damaged is blamed, and a good one ends it', async () => {
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = attentive();
  expect(await served(service)).toBe(first);
  await bucket.put(modelKey(first, 'model.onnx'), 'other bytes');
  await putVersion(bucket, { ...(await manifestOf(trap)), name: 'trap' }, trap);
  await predict(service);
  expect(await (await predict(service)).json()).toMatchObject({
    code: 'model_untrusted',
    detail: 'The model cannot be run.',
  });
  const third = await putVersion(bucket, await colourManifest(), colour);
  expect((await predict(service)).status).toBe(200);
  expect(await served(service)).toBe(third);
});

test('while storage fails, a bad version costs the old one only until storage answers again', async () => {
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  let fails = false;
  const unreliable = bucketWith((key, options) =>
    fails && key.startsWith(`models/${first}`) ? Promise.reject(new Error('10001')) : bucket.get(key, options),
  );
  const service = attentive({ MODELS: unreliable });
  expect(await served(service)).toBe(first);
  fails = true;
  await putVersion(bucket, { ...(await manifestOf(trap)), name: 'trap' }, trap);
  await predict(service);
  expect(await (await predict(service)).json()).toMatchObject({ code: 'model_unavailable' });
  fails = false;
  expect(await served(service)).toBe(first);
  expect(await health(service)).toMatchObject({ status: 'degraded', reason: { code: 'model_untrusted' } });
});

test('a new version that is not ONNX is replaced by the old one', () =>
  expectDegraded(async () => {
    const junk = new Uint8Array(200).fill(7);
    await putVersion(bucket, await manifestOf(junk), junk);
  }, 'model_untrusted'));

test('a channel that points at a missing version changes nothing', () =>
  expectDegraded(() => pointAt(bucket, 'f'.repeat(64)), 'model_unavailable'));

test('a channel that does not name a version changes nothing', () =>
  expectDegraded(() => bucket.put('channels/production.json', '{}'), 'model_untrusted'));

test('a temporary failure of R2 changes nothing', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  let fails = false;
  const unreliable = new Proxy(bucket, {
    get: (target, key) => {
      if (fails && (key === 'get' || key === 'head')) return () => Promise.reject(new Error('10001'));
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const service = attentive({ MODELS: unreliable });
  await predict(service);
  fails = true;
  expect((await predict(service)).status).toBe(200);
  expect(await health(service)).toMatchObject({ status: 'degraded', reason: { code: 'model_unavailable' } });
  fails = false;
  await predict(service);
  expect(await health(service)).toMatchObject({ status: 'ok' });
});

test('ten exchanges under a stream of uploads: no request fails, and memory stays level', async () => {
  const manifest = await manifestOf(brightness);
  const versions = [await putVersion(bucket, manifest, brightness)];
  versions.push(await putVersion(bucket, { ...manifest, name: 'second' }, brightness));
  const service = attentive();
  await predict(service);
  let afterTwo = 0;
  for (let round = 1; round <= 10; round++) {
    const version = versions[round % 2] ?? '';
    await pointAt(bucket, version);
    const responses = await Promise.all(Array.from({ length: 6 }, () => predict(service)));
    expect(responses.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(await served(service)).toBe(version);
    if (round === 2) afterTwo = runtime.bytes;
  }
  expect(runtime.bytes).toBe(afterTwo);
});

/** The bucket with a different `get`. */
function bucketWith(get: (key: string, options?: R2GetOptions) => Promise<unknown>): R2Bucket {
  return new Proxy(bucket, {
    get: (target, name) => {
      if (name === 'get') return get;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A bucket whose model files arrive changed by `spoil` while `isSpoilt`. */
function spoiling(spoil: (bytes: ArrayBuffer) => ArrayBuffer, isSpoilt: () => boolean): R2Bucket {
  return bucketWith(async (key, options) => {
    const object = await bucket.get(key, options);
    if (!object || !('body' in object) || !key.startsWith('models/') || !isSpoilt()) return object;
    const { body } = new Response(spoil(await object.arrayBuffer()));
    return new Proxy(object, {
      get: (target, name) => {
        if (name === 'body') return body;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  });
}

test.each<[string, (bytes: ArrayBuffer) => ArrayBuffer]>([
  ['half of it', (bytes) => bytes.slice(0, bytes.byteLength >> 1)],
  [
    'one bit of it changed',
    (bytes) => {
      const view = new Uint8Array(bytes);
      view[20] = (view[20] ?? 0) ^ 1;
      return bytes;
    },
  ],
])('a good version that arrives with %s is tried again and served', async (_, spoil) => {
  let spoilt = true;
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = attentive({ MODELS: spoiling(spoil, () => spoilt) });
  expect(await health(service)).toMatchObject({ code: 'model_unavailable' });
  spoilt = false;
  expect(await served(service)).toBe(first);

  spoilt = true;
  const second = await putVersion(bucket, await colourManifest(), colour);
  expect((await predict(service)).status).toBe(200);
  expect(await health(service)).toMatchObject({ status: 'degraded', reason: { code: 'model_unavailable' } });
  spoilt = false;
  await service('/api/health');
  expect(await served(service)).toBe(second);
  expect(await health(service)).toMatchObject({ status: 'ok' });
});

test.each([0, 1, 2])('reads are repeated when one in three fails, from the read %i on', async (first) => {
  const single = await putVersion(bucket, await manifestOf(brightness), brightness);
  let reads = first;
  const flaky = bucketWith(async (key, options) => {
    if (reads++ % 3 === 0) throw new Error('get: We encountered an internal error. Please try again. (10001)');
    return bucket.get(key, options);
  });
  expect(await served(attentive({ MODELS: flaky }))).toBe(single);
  const split = await putFiles(bucket, await splitManifest(), splitFiles());
  expect(await served(attentive({ MODELS: flaky }))).toBe(split);
});

test('a clock set back by a day does not stop an isolate from following its channel', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = newService({ MODEL_REFRESH: 20 });
  await served(service);
  const realNow = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 86_400_000);
  const second = await putVersion(bucket, await colourManifest(), colour);
  await service('/api/health');
  await scheduler.wait(30);
  await service('/api/health');
  expect(await served(service)).toBe(second);
});

test('concurrent looks at a slow storage exchange the model once', async () => {
  const first = await putVersion(bucket, await manifestOf(brightness), brightness);
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let waiting = 0;
  let isOpen = true;
  const slow = bucketWith(async (key, options) => {
    if (!isOpen && key.endsWith('manifest.json')) {
      waiting++;
      await opened;
    }
    return bucket.get(key, options);
  });
  const service = newService({ MODELS: slow, MODEL_REFRESH: 0 }, { waits: false });
  expect(await served(service)).toBe(first);
  const second = await putVersion(bucket, await colourManifest(), colour);
  const created = vi.spyOn(ort.InferenceSession, 'create');
  isOpen = false;
  const realNow = Date.now.bind(Date);
  for (let look = 1; look <= 3; look++) {
    // An hour after the previous look, which has not finished.
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + look * 3_600_000);
    expect((await predict(service)).status).toBe(200);
    await vi.waitUntil(() => waiting === look);
  }
  isOpen = true;
  open();
  await vi.waitUntil(async () => (await served(service)) === second, { timeout: 4_000 });
  for (let i = 0; i < 10; i++) {
    await scheduler.wait(20);
    expect((await predict(service)).status).toBe(200);
  }
  expect(await health(service)).toMatchObject({ status: 'ok' });
  expect(created).toHaveBeenCalledTimes(1);
});
