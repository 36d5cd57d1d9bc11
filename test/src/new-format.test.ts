import { beforeAll, expect, test } from 'vitest';
import { codecs } from '../../src/image/codecs.ts';
import { toy, toyFile } from './image/toy/codec.ts';
import { brightness, manifestOf } from './model/publish.ts';
import { putVersion } from './model/put-version.ts';
import { picture } from './pictures/pictures.ts';
import { bucket, form, leaving, newService, raw } from './service.ts';

// A new format is one folder, `./image/toy/`, and one entry in this list.
const withToy = { codecs: [...codecs, toy] };
const white = toyFile(20, 10, [255, 255, 255]);

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
});

test('a format that is not in the list is refused', async () => {
  const response = await newService()('/api/predict', raw(white, 'image/x-toy'));
  expect(response.status).toBe(415);
  expect(await response.json()).toMatchObject({ detail: 'Accepted formats: JPEG, PNG, GIF, WebP, AVIF, HEIC.' });
});

test('a refusal says what the file is, if that is known', async () => {
  const refusal = async (path: string, bytes: Uint8Array<ArrayBuffer>) => (await newService()(path, raw(bytes))).json();
  const bitmap = new Uint8Array(60);
  bitmap.set([0x42, 0x4d]);
  expect(await refusal('/api/predict', bitmap)).toMatchObject({
    detail: expect.stringMatching(/^This is a BMP\. Acc/),
  });
  for (const [name, article] of Object.entries({
    'webp lossy': 'a WebP',
    'avif 4:2:0': 'an AVIF',
    'heic 4:2:0': 'a HEIC',
  }))
    expect(await refusal('/huskyai/', picture(name).bytes)).toMatchObject({
      code: 'unsupported_media_type',
      detail: `This is ${article}. Accepted formats: JPEG, PNG, GIF.`,
    });
});

test('a format in the list is accepted, and messages name it', async () => {
  const service = newService({}, withToy);
  const answer = await (await service('/api/predict', raw(white, 'image/x-toy'))).json();
  expect(answer).toMatchObject({ label: 'husky', image: { format: 'toy', width: 20, height: 10 } });
  const refused = await (await service('/api/predict', raw('not a photo'))).json();
  expect(refused).toMatchObject({ detail: 'Accepted formats: JPEG, PNG, GIF, WebP, AVIF, HEIC, Toy.' });
});

test('the original’s endpoint keeps its formats', async () => {
  const response = await newService({}, withToy)('/huskyai/', form(white));
  expect(response.status).toBe(415);
});

test('its memory is budgeted', async () => {
  // The file is 3 MB and its decoder takes as much again, which does not fit beside the file.
  const service = newService({ ...leaving(5_500_000), MAX_BODY_BYTES: 4_000_000 }, withToy);
  const large = toyFile(1000, 1000, [0, 0, 0]);
  const headers = { 'Content-Type': 'image/x-toy', 'Content-Length': String(large.byteLength) };
  const response = await service('/api/predict', { method: 'POST', body: large, headers });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({
    code: 'image_too_large',
    detail: expect.stringMatching(/^This Toy has 1\.0 megapixels; up to 0\.\d would fit\.$/),
  });
});

test('its decoding time is budgeted, for a photo and for the request', async () => {
  const service = newService({ MAX_DECODE_MS: 50, MAX_REQUEST_DECODE_MS: 100 }, withToy);
  // One millisecond for a thousand pixels.
  const lasting = (milliseconds: number) => new File([toyFile(1000, milliseconds, [255, 255, 255])], 'photo');
  const body = new FormData();
  for (const milliseconds of [40, 60, 40, 40, 10]) body.append('file', lasting(milliseconds));
  const answers: unknown = await (await service('/api/predict', { method: 'POST', body })).json();
  const together = expect.stringContaining('take too long to decode together');
  expect(answers).toMatchObject([
    { label: 'husky' },
    { code: 'image_too_large', detail: expect.stringContaining('up to 0.0 would fit') },
    { label: 'husky' },
    { code: 'image_too_large', status: 413, detail: together },
    { code: 'image_too_large', status: 413, detail: together },
  ]);
});

test('the API, its document and its pages name it', async () => {
  const service = newService({}, withToy);
  const model = await (await service('/api/model')).json();
  const formats = ['JPEG', 'PNG', 'GIF', 'WebP', 'AVIF', 'HEIC'].map((name) => expect.objectContaining({ name }));
  expect(model).toMatchObject({
    service: { formats: [...formats, { name: 'Toy', mediaTypes: ['image/x-toy'] }] },
  });
  const document = await (await service('/openapi.json')).text();
  expect(document).toContain('"enum":["jpeg","png","gif","webp","avif","heic","toy"]');
  expect(document).toContain('"image/x-toy":{');
  expect(document).toContain('image/webp, image/avif, image/heic, image/heif, image/x-toy');
  expect(await (await service('/docs')).text()).toContain('image/x-toy');
});
