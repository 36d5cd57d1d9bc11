import { beforeAll, expect, test, vi } from 'vitest';
import { solidPng } from '../../pictures/png.ts';
import { brightness, manifestOf } from '../model/publish.ts';
import { putVersion } from '../model/put-version.ts';
import { bucket, newService, raw, type Service } from '../service.ts';

let service: Service;

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  service = newService();
});

/** What is the same for everyone, and may be kept as long as it is revalidated. */
const DOCUMENTS = ['/openapi.json', '/docs'];

const everywhere: readonly [name: string, path: string, init?: RequestInit][] = [
  ['a score', '/api/predict', { method: 'POST' }],
  ['a wrong method', '/api/predict', { method: 'PUT' }],
  ['the methods', '/api/predict', { method: 'OPTIONS' }],
  ['the model', '/api/model'],
  ['the head of the model', '/api/model', { method: 'HEAD' }],
  ['a redirect', '/huskyai/'],
  ['the document', '/openapi.json'],
  ['a page', '/docs'],
  ['the model’s card', '/docs/model'],
  ['an unknown path', '/nothing'],
  ['an unknown path, as a page', '/nothing', { headers: { Accept: 'text/html' } }],
];

test.each(everywhere)('%s has the security headers and an id', async (_, path, init) => {
  const { headers } = await service(path, init);
  expect(headers.get('Content-Security-Policy')).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
  expect(headers.get('Content-Security-Policy')).not.toContain('unsafe');
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  expect(headers.get('Referrer-Policy')).toBe('no-referrer');
  expect(headers.get('Permissions-Policy')).toContain('camera=()');
  expect(headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
  expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
  expect(headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
  expect(headers.get('Cache-Control')).toBe(DOCUMENTS.includes(path) ? 'no-cache' : 'no-store');
  expect(headers.get('X-Request-Id')).toMatch(/^[\w-]+$/);
});

test.each(DOCUMENTS)('%s is sent again only if it has changed', async (path) => {
  const first = await service(path);
  const etag = first.headers.get('ETag') ?? '';
  expect(etag).toMatch(/^"[0-9a-f]+"$/);
  const text = await first.text();
  expect(await (await service(path)).text()).toBe(text);
  for (const known of [etag, `"other", W/${etag}`, '*']) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await service(path, { method, headers: { 'If-None-Match': known } });
      expect(status).toBe(304);
      expect(body).toBe(null);
      for (const name of ['ETag', 'Cache-Control', 'Content-Security-Policy']) {
        expect(headers.get(name)).toBe(first.headers.get(name));
      }
    }
  }
  const outdated = await service(path, { headers: { 'If-None-Match': '"other"' } });
  expect(outdated.status).toBe(200);
  expect(await outdated.text()).toBe(text);
});

test.each(DOCUMENTS)('%s is made once for each origin and set-up', async (path) => {
  const stringify = vi.spyOn(JSON, 'stringify');
  try {
    await service(path);
    stringify.mockClear();
    await service(path);
    // The log line is all that is left to write.
    expect(stringify).toHaveBeenCalledTimes(1);
  } finally {
    stringify.mockRestore();
  }
  const tags = [
    await service(path),
    await service(path, undefined, 'http:'),
    await newService({ MAX_BATCH_PHOTOS: 5 })(path),
  ].map(({ headers }) => headers.get('ETag'));
  expect(new Set(tags).size).toBe(3);
});

test('over plain HTTP no answer requires HTTPS', async () => {
  const { headers } = await service('/nothing', undefined, 'http:');
  expect(headers.has('Strict-Transport-Security')).toBe(false);
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
});

test('the request id is Cloudflare’s if there is one, else a random one', async () => {
  const request = async (ray?: string) =>
    (await service('/api/health', ray === undefined ? {} : { headers: { 'CF-Ray': ray } })).headers.get('X-Request-Id');
  expect(await request('8f00aa11bb22cc33-FRA')).toBe('8f00aa11bb22cc33-FRA');
  expect(await request('not one: {"a": 1}')).toMatch(/^[0-9a-f-]{36}$/);
  expect(await request()).not.toBe(await request());
});

test.each([
  ['/api/predict', 'POST, OPTIONS'],
  ['/api/model', 'GET, HEAD, OPTIONS'],
  ['/huskyai/', 'POST, GET, HEAD, OPTIONS'],
])('OPTIONS %s lists its methods', async (path, allowed) => {
  const response = await service(path, { method: 'OPTIONS' });
  expect(response.status).toBe(204);
  expect(response.headers.get('Allow')).toBe(allowed);
  const refused = await service(path, { method: 'DELETE' });
  expect(refused.status).toBe(405);
  expect(refused.headers.get('Allow')).toBe(allowed);
});

test('OPTIONS of an unknown path is 404', async () => {
  expect((await service('/api/nothing', { method: 'OPTIONS' })).status).toBe(404);
});

test('HEAD has the headers of GET and no body', async () => {
  const [get, head] = [await service('/api/health'), await service('/api/health', { method: 'HEAD' })];
  expect(head.status).toBe(200);
  expect(await head.text()).toBe('');
  expect(head.headers.get('Content-Type')).toBe(get.headers.get('Content-Type'));
});

test('model and health match their schemas', async () => {
  const { schemas } = await import('../../../src/api/schemas.ts');
  const white = await solidPng([255, 255, 255]);
  schemas.ModelInfo.parse(await (await service('/api/model')).json());
  schemas.Health.parse(await (await service('/api/health')).json());
  schemas.Prediction.parse(await (await service('/api/predict', raw(white))).json());
  schemas.Problem.parse(await (await service('/api/predict', raw('no photo'))).json());
});

test('the card of the model shows its verification', async () => {
  const page = await (await service('/docs/model')).text();
  expect(page).toContain('<h1>tiny</h1>');
  expect(page).toMatch(/Signer<\/dt><dd><code>[0-9a-f]{64}/);
  expect(page).toContain('husky, not husky');
  expect(page).not.toMatch(/<script|<style| style=/);
});
