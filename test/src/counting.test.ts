import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { COLUMNS, CountedAnswer, toBin, toDataPoint } from '../../src/counted-answer.ts';
import { channelKey } from '../../src/model/layout.ts';
import { solidPng } from '../pictures/png.ts';
import { brightness, colour, colourManifest, manifestOf } from './model/publish.ts';
import { putVersion } from './model/put-version.ts';
import { bucket, form, newService, raw } from './service.ts';

let points: unknown[];
let lines: unknown[];
let version: string;
let white: Uint8Array<ArrayBuffer>;
let black: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  version = (await putVersion(bucket, await manifestOf(brightness), brightness)).slice(0, 12);
  white = await solidPng([255, 255, 255]);
  black = await solidPng([0, 0, 0]);
});

beforeEach(() => {
  points = [];
  lines = [];
  for (const level of ['log', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  }
});
afterEach(() => vi.restoreAllMocks());

const ANSWERS: AnalyticsEngineDataset = { writeDataPoint: (point) => void points.push(point) };

function batch(...files: readonly (Uint8Array<ArrayBuffer> | string)[]): RequestInit {
  const body = new FormData();
  for (const file of files) body.append('file', new File([file], 'secret-name.png'));
  return { method: 'POST', body };
}

const ok = (label: string, score: number) => ({
  indexes: [version],
  blobs: [version, 'stable', 'ok', label, 'png', '<=1'],
  doubles: [score],
});
const failed = (code: string, format = '') => ({
  indexes: [version],
  blobs: [version, 'stable', code, '', format, ''],
  doubles: [-1],
});

test('an answer is one data point with exactly these fields', async () => {
  const service = newService({ ANSWERS });
  await service('/api/predict', raw(white));
  await service('/api/predict', raw(black));
  expect(points).toEqual([ok('husky', 19), ok('not husky', 0)]);
});

test('so is an answer of the original’s endpoint', async () => {
  const service = newService({ ANSWERS });
  await service('/huskyai/', form(white));
  await service('/huskyai/', form(white.slice(0, 60)));
  expect(points).toEqual([ok('husky', 19), failed('malformed_image', 'png')]);
});

test('a batch is a data point for each photo', async () => {
  await newService({ ANSWERS })('/api/predict', batch(white, 'no photo', black, white.slice(0, 60)));
  expect(points).toEqual([
    ok('husky', 19),
    failed('unsupported_media_type'),
    ok('not husky', 0),
    failed('malformed_image', 'png'),
  ]);
});

test('an upload that fails as a whole is one data point', async () => {
  const service = newService({ ANSWERS, MAX_BATCH_PHOTOS: 2, MAX_BODY_BYTES: 5_000 });
  await service('/api/health');
  await service('/api/predict', { method: 'POST', body: 'text', headers: { 'Content-Type': 'text/plain' } });
  await service('/api/predict', batch(white, white, white));
  await service('/api/predict', raw(new Uint8Array(6_000)));
  expect(points).toEqual([failed('unsupported_media_type'), failed('too_many_photos'), failed('body_too_large')]);
});

test('without a model there is no version', async () => {
  await newService({ ANSWERS, MODEL_CHANNEL: 'empty' })('/api/predict', raw(white));
  const blobs = ['', 'stable', 'model_unavailable', '', '', ''];
  expect(points).toEqual([{ indexes: [''], blobs, doubles: [-1] }]);
});

test('requests without a photo are not counted', async () => {
  const service = newService({ ANSWERS, API_TOKENS: 'f'.repeat(64) });
  for (const path of ['/api/model', '/api/health', '/nothing']) await service(path);
  await service('/api/predict', raw(white));
  expect(points).toEqual([]);
});

test('a candidate is counted as one', async () => {
  const candidate = await putVersion(bucket, await colourManifest(), colour, { channel: 'canary' });
  const pointer = { version: candidate, candidate: { version: candidate, share: 99 } };
  const stable = await putVersion(bucket, await manifestOf(brightness), brightness);
  await bucket.put(channelKey('canary'), JSON.stringify({ ...pointer, version: stable }));
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => array);
  const service = newService({ ANSWERS, MODEL_CHANNEL: 'canary' });
  await service('/api/predict', raw(await solidPng([0, 0, 255])));
  await service('/api/predict', raw('no photo'));
  const short = candidate.slice(0, 12);
  expect(points).toEqual([
    { indexes: [short], blobs: [short, 'candidate', 'ok', 'blue', 'png', '<=1'], doubles: [19] },
    { indexes: [short], blobs: [short, 'candidate', 'unsupported_media_type', '', '', ''], doubles: [-1] },
  ]);
});

test('the log has the same fields, only if ANSWER_LOG is on', async () => {
  const answers = () => lines.filter((line) => Object.hasOwn(Object(line), 'answer'));
  await newService()('/api/predict', batch(white, 'no photo'));
  expect(answers()).toEqual([]);
  await newService({ ANSWERS, ANSWER_LOG: 'on' })('/api/predict', batch(white, 'no photo'));
  const parsed = answers().map((line) => CountedAnswer.parse(Object(line).answer));
  expect(parsed).toEqual([
    { version, role: 'stable', code: 'ok', label: 'husky', format: 'png', megapixels: '<=1', score: 19 },
    { version, role: 'stable', code: 'unsupported_media_type', label: '', format: '', megapixels: '', score: -1 },
  ]);
  expect(parsed.map(toDataPoint)).toEqual(points);
});

test('the columns name every field where the data point has it', () => {
  const answer: CountedAnswer = {
    version: 'abcdefabcdef',
    role: 'candidate',
    code: 'ok',
    label: 'husky',
    format: 'png',
    megapixels: '1-4',
    score: 7,
  };
  const { blobs, doubles } = toDataPoint(answer);
  const byColumn = Object.fromEntries([
    ...blobs.map((blob, index) => [`blob${index + 1}`, blob]),
    ...doubles.map((double, index) => [`double${index + 1}`, double]),
  ]);
  const read = Object.entries(COLUMNS).map(([name, column]) => [name, byColumn[column]]);
  expect(Object.fromEntries(read)).toEqual(answer);
  expect(Object.keys(byColumn)).toHaveLength(Object.keys(COLUMNS).length);
});

test.each([
  [0, 0],
  [0.049999, 0],
  [0.05, 1],
  [0.35, 7],
  [0.999999, 19],
  [1, 19],
])('a score of %d is in the twentieth %i', (score, bin) => {
  expect(toBin(score)).toBe(bin);
});
