import * as ort from 'onnxruntime-web/wasm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SplitManifest } from '../../../src/model/manifest.ts';
import { solidPng } from '../../pictures/png.ts';
import { bucket, newService, raw } from '../service.ts';
import { brightness, manifestOf, splitFiles, splitManifest } from './publish.ts';
import { pointAt, putFiles, putVersion } from './put-version.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  const { objects } = await bucket.list();
  await bucket.delete(objects.map(({ key }) => key));
});

const grey = raw(await solidPng([102, 102, 102]));

test('a network with its weights beside it scores as the same network in one file', async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  const single = await (await newService()('/api/predict', grey)).json();
  const version = await putFiles(bucket, await splitManifest(), splitFiles());
  const answer = await (await newService()('/api/predict', grey)).json();
  expect(single).toMatchObject({ label: 'not husky', score: expect.closeTo(0.119, 3) });
  expect(answer).toMatchObject({ label: 'not husky', score: expect.closeTo(0.119, 3) });
  expect(answer).toMatchObject({ model: { name: 'split', version: version.slice(0, 12) } });
});

test('the weights are freed as soon as ONNX Runtime has copied them', async () => {
  const create = vi.spyOn(ort.InferenceSession, 'create');
  await putFiles(bucket, await splitManifest(), splitFiles());
  expect((await newService()('/api/predict', grey)).status).toBe(200);
  const given = create.mock.calls.flatMap(([, options]) => options?.externalData ?? []);
  expect(given).toEqual([{ path: 'weights.bin', data: expect.any(Uint8Array) }]);
  const [weights] = given;
  expect(typeof weights === 'object' && weights.data instanceof Uint8Array && weights.data.buffer).toHaveProperty(
    'detached',
    true,
  );
});

test('an isolate follows its channel from one form to the other and back', async () => {
  const old = await putVersion(bucket, await manifestOf(brightness), brightness);
  const service = newService({ MODEL_REFRESH: 0 });
  const served = async () => {
    expect((await service('/api/predict', grey)).status).toBe(200);
    return (await (await service('/api/model')).json<{ digest: string }>()).digest;
  };
  expect(await served()).toBe(old);
  const split = await putFiles(bucket, await splitManifest(), splitFiles());
  await service('/api/health');
  expect(await served()).toBe(split);
  await pointAt(bucket, old);
  await service('/api/health');
  expect(await served()).toBe(old);
  expect(await (await service('/api/health')).json()).toMatchObject({ status: 'ok' });
});

describe('refused, although a trusted key has signed it', () => {
  async function expectRefusal(manifest: unknown, files: ReturnType<typeof splitFiles>, reason: RegExp): Promise<void> {
    await putFiles(bucket, manifest, files);
    const response = await newService()('/api/predict', grey);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'model_untrusted', detail: expect.stringMatching(reason) });
  }

  test.each(['pastEnd', 'tooLong', 'elsewhere'] as const)('a graph with a bad reference: %s', async (graph) => {
    const files = splitFiles(graph);
    await expectRefusal(await splitManifest(files), files, /cannot be run/);
  });

  test.each<[string, (manifest: SplitManifest) => Partial<SplitManifest>]>([
    [
      'a tensor that is named twice',
      ({ weights }) => ({ weights: weights.map((tensor) => ({ ...tensor, name: 'kernel' })) }),
    ],
    [
      'a tensor past the end',
      ({ weights }) => ({ weights: weights.map((tensor) => ({ ...tensor, offset: tensor.offset + 4 })) }),
    ],
    [
      'a tensor that overlaps another',
      ({ weights }) => ({ weights: weights.map((tensor) => ({ ...tensor, offset: 0 })) }),
    ],
    ['bytes that belong to no tensor', ({ weights }) => ({ weights: weights.slice(0, 1) })],
    [
      'a shape that is larger than the file',
      ({ weights }) => ({ weights: weights.map((tensor) => ({ ...tensor, shape: [1e9, 1e9] })) }),
    ],
    [
      'a dtype that is not the stored one',
      ({ weights }) => ({ weights: weights.map((tensor) => ({ ...tensor, dtype: 'float32' as const })) }),
    ],
  ])('%s', async (_, change) => {
    const manifest = await splitManifest();
    await expectRefusal({ ...manifest, ...change(manifest) }, splitFiles(), /manifest is not valid/);
  });

  test('weights that are not those of the manifest', async () => {
    const files = splitFiles();
    const changed = { ...files, 'weights.bin': files['weights.bin'].with(0, 1) };
    await expectRefusal(await splitManifest(), changed, /not the one that its manifest names/);
  });

  test('a network that takes more memory than is allowed', async () => {
    const manifest = await splitManifest();
    const runtime = { ...manifest.runtime, memory: 100_000_000 };
    await expectRefusal({ ...manifest, runtime }, splitFiles(), /too large/);
  });
});
