import { beforeAll, expect, test } from 'vitest';
import { drawPng, solidPng, utf8 } from '../pictures/png.ts';
import { seeded } from '../random.ts';
import { brightness, colour, colourManifest, manifestOf } from './model/publish.ts';
import { putVersion, signer } from './model/put-version.ts';
import { bucket, form, leaving, newService, raw, type Service } from './service.ts';

let service: Service;
let version: string;
let white: Uint8Array<ArrayBuffer>;
let black: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  version = await putVersion(bucket, await manifestOf(brightness), brightness);
  white = await solidPng([255, 255, 255]);
  black = await solidPng([0, 0, 0]);
  service = newService();
});

const problem = async (response: Response) => {
  expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  return response.json();
};

test.each([
  ['raw body', () => raw(white)],
  ['raw body without an image type', () => raw(white, 'application/octet-stream')],
  ['raw body as curl --data-binary sends it', () => raw(white, 'application/x-www-form-urlencoded')],
  ['form field', () => form(white)],
])('a photo as %s is scored', async (_, init) => {
  const response = await service('/api/predict', init());
  expect(response.status).toBe(200);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  expect(await response.json()).toEqual({
    label: 'husky',
    score: 0.999955,
    threshold: 0.5,
    scores: [
      { label: 'husky', score: 0.999955 },
      { label: 'not husky', score: 0.000045 },
    ],
    image: { format: 'png', width: 16, height: 16 },
    model: { name: 'tiny', version: version.slice(0, 12) },
  });
});

test('the type that an upload claims does not matter', async () => {
  const answer = await (await service('/api/predict', raw(white, 'image/jpeg'))).json();
  expect(answer).toMatchObject({ image: { format: 'png' } });
});

test('below the threshold the second label wins, and the score stays that of the first', async () => {
  const answer = await (await service('/api/predict', raw(black))).json();
  expect(answer).toMatchObject({
    label: 'not husky',
    score: 0.000045,
    scores: [{ label: 'not husky' }, { label: 'husky' }],
  });
});

test.each([
  ['/huskyai/', () => white, { score: '100.00', text: 'It is a husky!' }],
  ['/huskyai', () => black, { score: '0.00', text: 'Does not look like a husky to me.' }],
])('%s answers exactly as the original', async (path, picture, expected) => {
  const response = await service(path, form(picture()));
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual(expected);
});

test('a network with several classes answers the most probable one, and /huskyai/ refuses it', async () => {
  await putVersion(bucket, await colourManifest(), colour, { channel: 'several' });
  const several = newService({ MODEL_CHANNEL: 'several' });
  const blue = await solidPng([0, 0, 255]);
  const answer = await (await several('/api/predict', raw(blue))).json();
  expect(answer).toMatchObject({ label: 'blue', score: 1, threshold: null, scores: [{}, {}, {}] });

  const response = await several('/huskyai/', form(blue));
  expect(response.status).toBe(404);
  expect(await problem(response)).toMatchObject({ code: 'not_found' });
});

test('/api/model reports the version and its verification', async () => {
  const response = await service('/api/model');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    name: 'tiny',
    version: version.slice(0, 12),
    digest: version,
    labels: ['husky', 'not husky'],
    channel: 'production',
    pinned: false,
    verified: {
      method: 'signature',
      signer: signer.publicKey.fingerprint,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    },
  });
});

test('health is 200 if predictions work', async () => {
  const response = await service('/api/health');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: 'ok' });
});

const big = () => new Uint8Array(2_000);
const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
const longBoundary = (length: number) => {
  const boundary = 'x'.repeat(length);
  return raw(`--${boundary}\r\n\r\n\r\n--${boundary}--`, `multipart/form-data; boundary=${boundary}`);
};
const twoPixels = utf8('GIF89a');

test.each<[string, string, () => RequestInit, number, string]>([
  ['no body', '/api/predict', () => ({ method: 'POST' }), 400, 'empty_body'],
  ['an empty form', '/api/predict', () => ({ method: 'POST', body: new FormData() }), 400, 'empty_body'],
  ['an empty file', '/api/predict', () => form(new Uint8Array()), 400, 'empty_body'],
  ['another field', '/api/predict', () => form(white, 'photo'), 400, 'empty_body'],
  ['a malformed form', '/api/predict', () => raw('--x', 'multipart/form-data; boundary=y'), 400, 'empty_body'],
  ['a form without boundary', '/api/predict', () => raw('--x', 'multipart/form-data'), 400, 'empty_body'],
  ['a form with a long boundary', '/api/predict', () => longBoundary(252), 400, 'empty_body'],
  [
    'an encoded form',
    '/api/predict',
    () => raw('a=b', 'application/x-www-form-urlencoded'),
    415,
    'unsupported_media_type',
  ],
  ['too many bytes', '/api/predict', () => raw(big()), 413, 'body_too_large'],
  ['too many bytes for /huskyai/', '/huskyai/', () => form(big()), 413, 'body_too_large'],
  ['text', '/api/predict', () => raw('not a photo'), 415, 'unsupported_media_type'],
  ['an SVG', '/api/predict', () => raw(svg, 'image/svg+xml'), 415, 'unsupported_media_type'],
  ['JSON without a photo', '/api/predict', () => raw('{}', 'application/json'), 400, 'invalid_body'],
  ['JSON', '/huskyai/', () => raw('{}', 'application/json'), 415, 'unsupported_media_type'],
  ['text', '/api/predict', () => raw('{}', 'text/plain'), 415, 'unsupported_media_type'],
  ['a truncated header', '/api/predict', () => raw(twoPixels), 422, 'malformed_image'],
  ['half a photo', '/api/predict', () => raw(white.slice(0, 60)), 422, 'malformed_image'],
])('%s is refused with its code', async (_, path, init, status, code) => {
  const strict = newService({ MAX_BODY_BYTES: 1_000, MAX_BODY_BYTES_HUSKYAI: 1_000 });
  const response = await strict(path, init());
  expect(response.status).toBe(status);
  expect(await problem(response)).toEqual({
    type: `urn:husky-ai:problem:${code}`,
    title: expect.any(String),
    status,
    code,
    detail: expect.any(String),
    requestId: response.headers.get('X-Request-Id'),
  });
  expect((await strict('/api/predict', raw(white))).status).toBe(200);
});

test('/huskyai/ refuses WebP, as the original did', async () => {
  const webp = utf8('RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00');
  const response = await service('/huskyai/', form(webp));
  expect(await problem(response)).toMatchObject({ code: 'unsupported_media_type' });
});

test('a wrong method is answered with the right ones', async () => {
  const response = await service('/api/predict');
  expect(response.status).toBe(405);
  expect(response.headers.get('Allow')).toBe('POST, OPTIONS');
  expect(await problem(response)).toMatchObject({ code: 'method_not_allowed' });
});

test('an unknown path is a problem, not a page', async () => {
  const response = await service('/api/nothing');
  expect(response.status).toBe(404);
  expect(await problem(response)).toMatchObject({ code: 'not_found' });
});

test('more simultaneous uploads than memory can hold are all answered', async () => {
  // Twenty bodies fill what is left for photos, and decoding one takes a third.
  const noise = seeded(7);
  const large = await drawPng(640, 640, () => [noise() * 256, noise() * 256, noise() * 256]);
  const init = raw(large);
  const headers = { ...init.headers, 'Content-Length': String(large.byteLength) };
  const small = newService({ ...leaving(24_000_000), MEMORY_WAIT: 20_000 });
  const uploads = Array.from({ length: 24 }, () => small('/api/predict', { ...init, headers }));
  const statuses = (await Promise.all(uploads)).map(({ status }) => status);
  expect(statuses).toEqual(Array(24).fill(200));
}, 30_000);
