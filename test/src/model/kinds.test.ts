import { expect, test } from 'vitest';
import { schemas } from '../../../src/api/schemas.ts';
import { parseManifest } from '../../../src/model/manifest.ts';
import { drawPng, solidPng, utf8 } from '../../pictures/png.ts';
import { bucket, newService, raw, type Service } from '../service.ts';
import {
  brightness,
  colourManifest,
  grey,
  greyManifest,
  independent,
  independentManifest,
  manifestOf,
} from './publish.ts';
import { putVersion } from './put-version.ts';

async function serve(manifest: unknown, onnx: Uint8Array<ArrayBuffer>, vars = {}): Promise<Service> {
  const channel = `kind-${crypto.randomUUID()}`;
  await putVersion(bucket, manifest, onnx, { channel });
  return newService({ MODEL_CHANNEL: channel, ...vars });
}

const predict = async (service: Service, png: Uint8Array<ArrayBuffer>) => {
  const response = await service('/api/predict', raw(png));
  expect(response.status).toBe(200);
  return schemas.Prediction.parse(await response.json());
};

test('a greyscale network gets the luma of colours', async () => {
  const service = await serve(await greyManifest(), grey);
  // (0, 200, 0) is 117 of 255 in grey.
  const { score } = await predict(service, await solidPng([0, 200, 0]));
  expect(score).toBeCloseTo(1 / (1 + Math.exp(-20 * (117 / 255 - 0.5))), 5);
  const { input } = schemas.ModelInfo.parse(await (await service('/api/model')).json());
  expect(input).toMatchObject({ color: 'L', resize: 'squeeze' });
  expect(await (await service('/api/health')).json()).toMatchObject({ status: 'ok' });
});

test('independent labels: the most probable one, the threshold, and a probability for each', async () => {
  const service = await serve(await independentManifest(), independent);
  const answer = await predict(service, await solidPng([255, 178, 0]));
  const [red, green, blue] = [1, 178 / 255, 0].map((mean) => 1 / (1 + Math.exp(-20 * (mean - 0.5))));
  expect(answer).toMatchObject({ label: 'red', threshold: 0.5, independent: true });
  expect(answer.score).toBeCloseTo(red ?? 0, 5);
  expect(answer.scores?.map(({ label }) => label)).toEqual(['red', 'green', 'blue']);
  for (const [i, expected] of [red, green, blue].entries()) {
    expect(answer.scores?.[i]?.score).toBeCloseTo(expected ?? 0, 5);
  }
  const info = schemas.ModelInfo.parse(await (await service('/api/model')).json());
  expect(info).toMatchObject({ independent: true, threshold: 0.5, labels: ['red', 'green', 'blue'] });
  expect((await service('/huskyai/', raw(await solidPng([0, 0, 0])))).status).toBe(404);
});

test('where scores are hidden, independent labels are still marked as such', async () => {
  const service = await serve(await independentManifest(), independent, { SCORES: 'label' });
  const answer = await predict(service, await solidPng([255, 178, 0]));
  expect(answer).toMatchObject({ label: 'red', threshold: null, independent: true });
  expect(answer).not.toHaveProperty('scores');
});

test('two sigmoids are two independent labels, not a yes and a no', async () => {
  const manifest = await independentManifest();
  const two = { ...manifest, output: { ...manifest.output, size: 2 }, labels: ['cat', 'dog'] };
  expect(parseManifest(utf8(JSON.stringify(two)))).toMatchObject({ labels: ['cat', 'dog'] });
});

test('other models are not marked', async () => {
  const service = await serve(await manifestOf(brightness), brightness);
  expect(await predict(service, await solidPng([0, 0, 0]))).not.toHaveProperty('independent');
  expect(await (await service('/api/model')).json()).not.toHaveProperty('independent');
});

test('without scripts, the page of an answer names the labels that apply', async () => {
  const service = await serve(await independentManifest(), independent);
  const page = async (rgb: [number, number, number]) => {
    const init = raw(await solidPng(rgb));
    const response = await service('/api/predict', { ...init, headers: { ...init.headers, Accept: 'text/html' } });
    return response.text();
  };
  expect(await page([255, 200, 0])).toContain('<h1>Red, green</h1>');
  expect(await page([10, 20, 0])).toContain('<h1>No label</h1>');
});

test('the card of a model says what the model sees and when a label applies', async () => {
  const manifest = await independentManifest();
  const fitted = { ...manifest, input: { ...manifest.input, resize: 'fit' } };
  const card = await (await (await serve(fitted, independent))('/docs/model')).text();
  expect(card).toContain('8 × 8 pixels, cropped at the centre and resized with bicubic');
  expect(card).toContain('each label whose probability is above 0.5: several, or none');
  expect(await (await (await serve(await greyManifest(), grey))('/docs/model')).text()).toContain(
    '8 × 8 pixels in grey',
  );
});

test('a fitted network sees the centre of a photo, turned upright', async () => {
  const manifest = await manifestOf(brightness);
  const input = { ...manifest.input, resize: 'fit' };
  // White with black on the left and right quarter: a square crop has none of it.
  const picture = await drawPng(64, 32, (x) => (x < 16 || x >= 48 ? [0, 0, 0] : [255, 255, 255]));
  const { score } = await predict(await serve({ ...manifest, input }, brightness), picture);
  expect(score).toBeGreaterThan(0.999);
  const squeezed = await predict(await serve(manifest, brightness), picture);
  expect(squeezed.score).toBeLessThan(0.6);
});

test.each([
  ['a softmax with a threshold', async () => ({ ...(await colourManifest()), threshold: 0.5 })],
  ['independent labels without one', async () => ({ ...(await independentManifest()), threshold: null })],
  ['fewer labels than outputs', async () => ({ ...(await independentManifest()), labels: ['red', 'green'] })],
])('a manifest is refused: %s', async (_, manifest) => {
  const bytes = utf8(JSON.stringify(await manifest()));
  expect(() => parseManifest(bytes)).toThrow('labels and threshold do not fit the output');
});
