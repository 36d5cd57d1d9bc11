import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../src/model/digest.ts';
import { channelKey, modelKey } from '../../../src/model/layout.ts';
import { solidPng } from '../../pictures/png.ts';
import { bucket, newService, raw, type Service } from '../service.ts';
import { json, newSigner, rootDigest, type Statement, statementOf } from './oms/signer.ts';
import { brightness, colour, hostile, manifestOf } from './publish.ts';
import { pointAt, putVersion, signer } from './put-version.ts';

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

/** Requests all routes that need the model; each must fail with this code and log a matching reason. */
async function expectRefusal(service: Service, code: string, reason: RegExp): Promise<void> {
  logged.length = 0;
  const responses = [await predict(service), await service('/api/health'), await service('/api/model')];
  for (const response of responses) {
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ code });
    expect(body).not.toMatch(/models\/|channels\/|at .*\.ts/);
  }
  expect(logged).toHaveLength(responses.length);
  for (const line of logged) expect(JSON.parse(line)).toMatchObject({ code, reason: expect.stringMatching(reason) });
}

test('nothing published', async () => {
  await expectRefusal(newService(), 'model_unavailable', /channels\/production\.json does not exist/);
});

test('a pointer to a missing version', async () => {
  await bucket.put(channelKey('production'), JSON.stringify({ version: 'f'.repeat(64) }));
  await expectRefusal(newService(), 'model_unavailable', /manifest\.json does not exist/);
});

test.each(['', '{', '{"version":"../../secret"}', '{"version":1}'])(
  'a pointer with the content %j',
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
  await expectRefusal(newService(), 'model_untrusted', /signature .* is not valid/);
});

test('another model signed under the same manifest', async () => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  await bucket.put(modelKey(version, 'model.onnx'), colour);
  const digests = new Map([
    ['manifest.json', version],
    ['model.onnx', await sha256Hex(colour)],
  ]);
  await bucket.put(modelKey(version, 'model.sig'), json(await signer.sign(json(await statementOf(digests)))));
  await expectRefusal(newService(), 'model_untrusted', /not the one that its manifest names/);
});

test('no signature', async () => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  await bucket.delete(modelKey(version, 'model.sig'));
  await expectRefusal(newService(), 'model_unavailable', /model\.sig does not exist/);
});

test('a truncated signature', async () => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  const whole = await (await bucket.get(modelKey(version, 'model.sig')))?.text();
  await bucket.put(modelKey(version, 'model.sig'), whole?.slice(0, 200) ?? '');
  await expectRefusal(newService(), 'model_untrusted', /signature .* is not valid/);
});

test('a signature of another version', async () => {
  const manifest = await manifestOf(brightness);
  const other = await putVersion(bucket, { ...manifest, name: 'other' }, brightness);
  const version = await putVersion(bucket, manifest, brightness);
  const signature = await (await bucket.get(modelKey(other, 'model.sig')))?.text();
  await bucket.put(modelKey(version, 'model.sig'), signature ?? '');
  await expectRefusal(newService(), 'model_untrusted', /signature .* is not valid/);
});

test('a signature by an untrusted key', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness, { by: await newSigner() });
  await expectRefusal(newService(), 'model_untrusted', /signature .* is not valid/);
});

/** The statement of a valid signature of this version. */
async function goodStatement(version: string) {
  const digests = new Map([
    ['manifest.json', version],
    ['model.onnx', await sha256Hex(brightness)],
  ]);
  return statementOf(digests);
}

const OTHER = { name: 'other.bin', algorithm: 'sha256', digest: '1'.repeat(64) };

test.each<[string, (statement: Statement) => Promise<Statement> | Statement, string | undefined]>([
  ['another payload type', (statement) => statement, 'application/json'],
  ['another predicate', (statement) => ({ ...statement, predicateType: 'https://example.com/v1' }), undefined],
  ['a file more', (statement) => withResources(statement, (all) => [...all, OTHER]), undefined],
  ['a file less', (statement) => withResources(statement, (all) => all.slice(0, 1)), undefined],
])('a signature over %s', async (_, change, payloadType) => {
  const version = await putVersion(bucket, await manifestOf(brightness), brightness);
  const payload = json(await change(await goodStatement(version)));
  await bucket.put(modelKey(version, 'model.sig'), json(await signer.sign(payload, payloadType)));
  await expectRefusal(newService(), 'model_untrusted', /signature .* is not valid/);
});

type Resources = Statement['predicate']['resources'];

/** A consistent statement about other files. */
async function withResources(statement: Statement, change: (resources: Resources) => Resources): Promise<Statement> {
  const resources = change(statement.predicate.resources);
  const subject = [{ name: 'model', digest: { sha256: await rootDigest(resources) } }];
  return { ...statement, subject, predicate: { ...statement.predicate, resources } };
}

test('without a configured key, nothing is trusted', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await expectRefusal(newService({ MODEL_PUBLIC_KEYS: '' }), 'model_untrusted', /no public key/);
});

test('with two keys, as during a rotation, either is accepted', async () => {
  const next = await newSigner('P-384');
  const both = { MODEL_PUBLIC_KEYS: signer.publicKeyPem + next.publicKeyPem };
  await putVersion(bucket, await manifestOf(brightness), brightness);
  expect((await predict(newService(both))).status).toBe(200);
  await putVersion(bucket, { ...(await manifestOf(brightness)), name: 'other' }, brightness, { by: next });
  expect((await predict(newService(both))).status).toBe(200);
});

test('a pin overrides the channel, and an older version under its name is refused although its signature is valid', async () => {
  const manifest = await manifestOf(brightness);
  const old = await putVersion(bucket, { ...manifest, name: 'old' }, brightness);
  const pinned = await putVersion(bucket, manifest, brightness);
  await pointAt(bucket, old);
  const service = newService({ MODEL_VERSION: pinned });
  expect(await (await service('/api/model')).json()).toMatchObject({
    digest: pinned,
    pinned: true,
    channel: null,
  });

  // Now store the old version, signature included, under the pinned name.
  for (const file of ['model.onnx', 'manifest.json', 'model.sig']) {
    await bucket.put(modelKey(pinned, file), (await (await bucket.get(modelKey(old, file)))?.arrayBuffer()) ?? '');
  }
  await expectRefusal(newService({ MODEL_VERSION: pinned }), 'model_untrusted', /version names/);
});

test('without a pin, anyone who can write to the bucket can return to an older signed version', async () => {
  const manifest = await manifestOf(brightness);
  const old = await putVersion(bucket, { ...manifest, name: 'old' }, brightness);
  await putVersion(bucket, manifest, brightness);
  await pointAt(bucket, old);
  expect(await (await newService()('/api/model')).json()).toMatchObject({ digest: old });
});

test('an edited manifest', async () => {
  const manifest = await manifestOf(brightness);
  const version = await putVersion(bucket, manifest, brightness);
  await bucket.put(modelKey(version, 'manifest.json'), JSON.stringify({ ...manifest, threshold: 0.1 }));
  await expectRefusal(newService(), 'model_untrusted', /not the one that the version names/);
});

test('a manifest that does not fit the schema', async () => {
  await putVersion(bucket, { ...(await manifestOf(brightness)), labels: ['only one'] }, brightness);
  await expectRefusal(newService(), 'model_untrusted', /manifest is not valid/);
});

test('a model above the size limit', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  await expectRefusal(newService({ MAX_MODEL_BYTES: 100 }), 'model_untrusted', /100 are allowed/);
});

test('a file that is not ONNX', async () => {
  const junk = new Uint8Array(200).fill(7);
  await putVersion(bucket, await manifestOf(junk), junk);
  await expectRefusal(newService(), 'model_untrusted', /cannot be run/);
});

test.each(Object.entries(hostile))('an ONNX file with %s', async (_, onnx) => {
  await putVersion(bucket, await manifestOf(onnx), onnx);
  await expectRefusal(newService(), 'model_untrusted', /cannot be run/);
});

test('an ONNX file with another output than the manifest names', async () => {
  const manifest = await manifestOf(brightness);
  await putVersion(bucket, { ...manifest, output: { ...manifest.output, name: 'other' } }, brightness);
  await expectRefusal(newService(), 'model_untrusted', /other inputs or outputs/);
});

test('an ONNX file with another output shape than the manifest names', async () => {
  await putVersion(bucket, await manifestOf(colour), colour);
  const response = await predict(newService());
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'model_untrusted' });
});

test('a model that verifies but fails a probe', async () => {
  const manifest = await manifestOf(brightness);
  const [white, ...others] = manifest.probes;
  if (!white) throw new Error('no probe');
  await putVersion(bucket, { ...manifest, probes: [{ ...white, expected: [0.5] }, ...others] }, brightness);
  await expectRefusal(newService(), 'model_untrusted', /does not behave .*: white$/);
});

test('a failed load is forgotten: the same isolate serves the model once it is published', async () => {
  const service = newService();
  expect((await predict(service)).status).toBe(503);
  await putVersion(bucket, await manifestOf(brightness), brightness);
  expect((await predict(service)).status).toBe(200);
});

/** R2 with a replaced `get`: the real one cannot be made to fail or hang. */
function bucketWith(get: (key: string) => Promise<R2ObjectBody | null>): R2Bucket {
  return new Proxy(bucket, { get: (target, key) => (key === 'get' ? get : Reflect.get(target, key)) });
}

test.each(['production.json', 'manifest.json', 'model.sig', 'model.onnx'])('R2 fails at %s', async (file) => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  const failing = bucketWith((key) => {
    if (key.endsWith(file)) throw new Error('internal error 10001');
    return bucket.get(key);
  });
  await expectRefusal(newService({ MODELS: failing }), 'model_unavailable', /internal error 10001/);
});

test('R2 hangs: requests time out, and the next one tries again', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  let hangs = true;
  const hanging = bucketWith((key) => (hangs ? new Promise(() => {}) : bucket.get(key)));
  const service = newService({ MODELS: hanging, MODEL_LOAD_TIMEOUT: 500 }, { waits: false });
  const together = await Promise.all([predict(service), predict(service)]);
  expect(together.map(({ status }) => status)).toEqual([503, 503]);
  hangs = false;
  expect((await predict(service)).status).toBe(200);
});

test('concurrent requests share one load', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  const get = vi.fn((key: string) => bucket.get(key));
  const service = newService({ MODELS: bucketWith(get) });
  const responses = await Promise.all(Array.from({ length: 8 }, () => predict(service)));
  expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200));
  // The pointer, the manifest, the signature, the model, and the two files that a version of the newer form would have.
  expect(get).toHaveBeenCalledTimes(6);
});
