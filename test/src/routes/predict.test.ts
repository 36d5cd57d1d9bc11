import { beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { schemas } from '../../../src/api/schemas.ts';
import { drawPng, solidPng } from '../../pictures/png.ts';
import { brightness, colour, colourManifest, manifestOf, spots, spotsManifest } from '../model/publish.ts';
import { putVersion } from '../model/put-version.ts';
import { bucket, form, leaving, newService, raw, type Service } from '../service.ts';

let service: Service;
let white: Uint8Array<ArrayBuffer>;
let black: Uint8Array<ArrayBuffer>;
/** Between the two labels, closer to husky. */
let grey: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  white = await solidPng([255, 255, 255]);
  black = await solidPng([0, 0, 0]);
  grey = await solidPng([140, 140, 140]);
  service = newService();
});

type File = Uint8Array<ArrayBuffer> | string;

function batch(...files: readonly File[]): RequestInit {
  const body = new FormData();
  for (const file of files) body.append('file', new File([file], 'photo.png', { type: 'image/png' }));
  return { method: 'POST', body };
}

const html = (init: RequestInit): RequestInit => ({
  ...init,
  headers: { ...init.headers, Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
});

const BatchAnswer = z.array(schemas.BatchEntry);

/** The log lines written while `use` runs. */
async function logged(use: () => Promise<unknown>): Promise<unknown[]> {
  const lines: unknown[] = [];
  const note = (line: string) => void lines.push(JSON.parse(line));
  const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
  for (const spy of spies) spy.mockImplementation(note);
  await use();
  for (const spy of spies) spy.mockRestore();
  return lines;
}

test('several photos get their answers in order, and a bad one does not affect the others', async () => {
  const response = await service('/api/predict', batch(white, 'no photo', black, '', white.slice(0, 60), white));
  expect(response.status).toBe(200);
  const answer = BatchAnswer.parse(await response.json());
  expect(answer.map((entry) => ('label' in entry ? entry.label : entry.code))).toEqual([
    'husky',
    'unsupported_media_type',
    'not husky',
    'empty_body',
    'malformed_image',
    'husky',
  ]);
  expect(answer[1]).toMatchObject({ status: 415, type: 'urn:husky-ai:problem:unsupported_media_type' });
});

test('one photo in a form is not a list', async () => {
  const answer = await (await service('/api/predict', batch(white))).json();
  expect(schemas.Prediction.parse(answer).label).toBe('husky');
});

test('with a limit of one photo, a second is refused, not ignored', async () => {
  const single = newService({ MAX_BATCH_PHOTOS: 1 });
  expect((await single('/api/predict', batch(white))).status).toBe(200);
  expect(await (await single('/api/predict', batch(white, black))).json()).toMatchObject({
    code: 'too_many_photos',
  });
});

test('too many photos are refused before one is decoded', async () => {
  const few = newService({ MAX_BATCH_PHOTOS: 2 });
  expect((await few('/api/predict', batch(white, black))).status).toBe(200);
  const response = await few('/api/predict', batch(white, black, white));
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({
    code: 'too_many_photos',
    detail: 'At most 2 photos per request are accepted.',
  });
});

test('a batch of any size needs memory for its body and one photo', async () => {
  // Two of these do not fit at once.
  const tight = newService({ ...leaving(6_000_000), MAX_BODY_BYTES: 200_000, MEMORY_WAIT: 0 });
  const large = await solidPng([255, 255, 255], 700);
  const answer = BatchAnswer.parse(await (await tight('/api/predict', batch(...Array(16).fill(large)))).json());
  expect(answer.map((entry) => ('label' in entry ? entry.label : entry.detail))).toEqual(Array(16).fill('husky'));
});

test('without a model a batch fails as a whole', async () => {
  const none = newService({ MODEL_CHANNEL: 'nothing-there' });
  const response = await none('/api/predict', batch(white, black));
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'model_unavailable' });
});

test.each([
  [
    'full',
    {
      score: expect.closeTo(0.72, 1),
      scores: [
        { label: 'husky', score: expect.any(Number) },
        { label: 'not husky', score: expect.any(Number) },
      ],
      threshold: 0.5,
    },
  ],
  ['rounded', { score: expect.any(Number), threshold: 0.5 }],
  ['label', { threshold: null }],
])('SCORES=%s', async (scores, expected) => {
  const answer = await (await newService({ SCORES: scores })('/api/predict', raw(grey))).json();
  const prediction = schemas.Prediction.parse(answer);
  expect(prediction).toMatchObject({ label: 'husky', ...expected });
  const all = [prediction.score, ...(prediction.scores ?? []).map(({ score }) => score)];
  const decimals = all.map((score) => String(score).split('.')[1]?.length ?? 0);
  if (scores === 'full') expect(Math.max(...decimals)).toBe(6);
  if (scores === 'rounded') expect(decimals).toEqual([2, 2, 2]);
  if (scores === 'label') expect(Object.keys(prediction).sort()).toEqual(['image', 'label', 'model', 'threshold']);
});

test.each([
  ['full', /^7\d\.(?!00)\d\d$/],
  ['rounded', /^7\d\.00$/],
  ['label', /^100\.00$/],
])('/huskyai/ with SCORES=%s', async (scores, expected) => {
  const hiding = newService({ SCORES: scores });
  const answer = schemas.HuskyAnswer.parse(await (await hiding('/huskyai/', form(grey))).json());
  expect(answer.text).toBe('It is a husky!');
  expect(answer.score).toMatch(expected);
  const other = await (await hiding('/huskyai/', form(black))).json();
  expect(other).toEqual({ score: '0.00', text: 'Does not look like a husky to me.' });
});

test('/huskyai/ scores the first of several photos, as the original did', async () => {
  const answer = await (await service('/huskyai/', batch(black, white, white))).json();
  expect(answer).toEqual({ score: '0.00', text: 'Does not look like a husky to me.' });
});

test('a heat map comes only on request, and an unknown value of the parameter is refused', async () => {
  const request = async (query: string) => (await service(`/api/predict${query}`, raw(white))).json();
  expect(await request('')).not.toHaveProperty('heatmap');
  expect(await request('?heatmap=0')).not.toHaveProperty('heatmap');
  expect(await request('?heatmap=1')).toHaveProperty('heatmap', null);
  expect(await request('?heatmap=yes')).toMatchObject({ status: 400, code: 'invalid_parameter' });
});

test('a model with heat maps returns them, in batches too, and reports their grid', async () => {
  await putVersion(bucket, await spotsManifest(), spots, { channel: 'heat' });
  const bindings = { MODEL_CHANNEL: 'heat' };
  const heat = newService(bindings);
  // Red on the left, black on the right.
  const halves = await drawPng(16, 16, (x) => (x < 8 ? [255, 0, 0] : [0, 0, 0]));
  const model = schemas.ModelInfo.parse(await (await heat('/api/model')).json());
  expect(model.heatmap).toEqual({ rows: 4, columns: 2 });
  const one = schemas.Prediction.parse(await (await heat('/api/predict?heatmap=1', raw(halves))).json());
  const values = one.heatmap?.values ?? [];
  expect(one.heatmap).toMatchObject({ rows: 4, columns: 2 });
  expect(values.length).toBe(8);
  for (const [cell, value] of values.entries()) {
    if (cell % 2 === 0) expect(value).toBeGreaterThan(0.9);
    else expect(value).toBeLessThan(0.2);
  }
  const two = BatchAnswer.parse(await (await heat('/api/predict?heatmap=1', batch(halves, halves))).json());
  expect(two.map((entry) => 'heatmap' in entry && entry.heatmap?.values)).toEqual([values, values]);
  for (const scores of ['rounded', 'label']) {
    const hiding = newService({ ...bindings, SCORES: scores });
    const answer = await (await hiding('/api/predict?heatmap=1', raw(halves))).json();
    expect(schemas.Prediction.parse(answer).heatmap).toBeNull();
  }
});

test('a form submitted by a browser without scripts gets a page', async () => {
  const response = await service('/api/predict', html(form(white)));
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toContain('text/html');
  expect(response.headers.get('Vary')).toContain('Accept');
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'; style-src 'self'");
  const page = await response.text();
  expect(page).toContain('<h1>Husky</h1>');
  expect(page).toMatch(/not husky<\/th><td class="number">0\.0%/);
  expect(page).not.toMatch(/<script|<style| style=/);
});

test('failures of such a form get a page with their status', async () => {
  const response = await service('/api/predict', html(form(new Uint8Array())));
  expect(response.status).toBe(400);
  expect(response.headers.get('Content-Type')).toContain('text/html');
  expect(await response.text()).toContain('<h1>The request carries no photo</h1>');
});

test('several photos share one page, without scores where they are hidden', async () => {
  const page = await (
    await newService({ SCORES: 'label' })('/api/predict', html(batch(white, 'no photo', black)))
  ).text();
  expect(page).toContain('<h2>Photo 1: Husky</h2>');
  expect(page).toContain('<h2>Photo 2: The file format is not supported</h2>');
  expect(page).toContain('<h2>Photo 3: Not husky</h2>');
  expect(page).not.toContain('%');
});

test('labels are escaped on the page', async () => {
  const manifest = { ...(await colourManifest()), labels: ['<b>red</b>', 'green', 'blue'] };
  await putVersion(bucket, manifest, colour, { channel: 'marked' });
  const red = await solidPng([255, 0, 0]);
  const page = await (await newService({ MODEL_CHANNEL: 'marked' })('/api/predict', html(raw(red)))).text();
  expect(page).toContain('&lt;b&gt;red');
  expect(page).not.toContain('<b>');
});

test.each([
  ['*/*', 'json'],
  ['application/json', 'json'],
  ['text/html', 'html'],
  ['text/*', 'html'],
  ['text/html;q=0.5, */*', 'json'],
  ['application/json;q=0.5, text/html', 'html'],
  ['image/png', 'json'],
])('Accept: %s gets %s', async (accept, expected) => {
  const init = raw(white);
  const response = await service('/api/predict', { ...init, headers: { ...init.headers, Accept: accept } });
  expect(response.headers.get('Content-Type')).toContain(expected);
});

test('the log has one line per request, with the closed list of fields only', async () => {
  const id = expect.stringMatching(/^[\w-]+$/);
  const lines = await logged(async () => {
    await service('/api/predict', raw(white));
    await service('/api/predict', batch(white, 'no photo'));
    await service('/api/predict', raw('no photo'));
    await service('/api/nothing?of=interest');
  });
  const version = expect.stringMatching(/^[0-9a-f]{12}$/);
  const predicted = { method: 'POST', route: '/api/predict', status: 200, request: id };
  expect(lines).toEqual([
    { ...predicted, photos: 1, format: 'png', megapixels: '<=1', version },
    { ...predicted, photos: 2, format: 'png', megapixels: '<=1', version, code: 'unsupported_media_type' },
    { ...predicted, photos: 1, status: 415, code: 'unsupported_media_type' },
    { method: 'GET', route: '/*', status: 404, code: 'not_found', request: id },
  ]);
});
