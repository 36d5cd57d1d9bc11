import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { z } from 'zod';
import { solidPng } from '../pictures/png.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

const RateLimits = z.object({
  ratelimits: z.array(z.object({ name: z.string(), simple: z.object({ limit: z.number(), period: z.number() }) })),
});

const TOKEN = 'right';
const WHITE = await solidPng([250, 250, 250]);

let worker: RunningWorker;

beforeAll(async () => {
  const digest = createHash('sha256').update(TOKEN).digest('hex');
  worker = await startWorker({ model: 'brightness', vars: { RATE_LIMITS: 'on', API_TOKENS: digest } });
});

afterAll(() => worker?.stop());

const predict = (address: string, token?: string) =>
  fetch(`${worker.url}/api/predict`, {
    method: 'POST',
    body: WHITE,
    headers: {
      'Content-Type': 'image/png',
      'CF-Connecting-IP': address,
      ...(token && { Authorization: `Bearer ${token}` }),
    },
  });

test('only the right token is accepted', async () => {
  const statuses = [];
  for (const token of [TOKEN, 'wrong', undefined]) {
    const response = await predict('192.0.2.1', token);
    statuses.push([response.status, response.headers.get('WWW-Authenticate')]);
  }
  expect(statuses).toEqual([
    [200, null],
    [401, 'Bearer error="invalid_token"'],
    [401, 'Bearer'],
  ]);
});

test('too many photos from one address are refused until Retry-After has passed; other addresses are not affected', async () => {
  // Wrong tokens count too, and leave the count of the right token alone. Two windows cannot hold this many.
  const answers = await Promise.all(Array.from({ length: 45 }, () => predict('192.0.2.2', 'wrong')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
  const refused = answers.find(({ status }) => status === 429);
  if (!refused) throw new Error('none was refused');
  expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
  expect(refused.headers.get('RateLimit-Policy')).toBe('"burst";q=20;w=10, "sustained";q=60;w=60');
  expect(refused.headers.get('Retry-After')).toBe('10');
  expect((await predict('192.0.2.3', TOKEN)).status).toBe(200);
  expect((await fetch(`${worker.url}/api/model`)).status).toBe(200);

  await setTimeout(Number(refused.headers.get('Retry-After')) * 1000);
  expect((await predict('192.0.2.2', TOKEN)).status).toBe(200);
});

test('RateLimit-Policy reports the limits of wrangler.toml', async () => {
  const { ratelimits } = RateLimits.parse(unstable_readConfig({ config: 'wrangler.toml' }));
  const set = ratelimits.map(({ name, simple: { limit, period } }) => `"${name.toLowerCase()}";q=${limit};w=${period}`);
  const response = await predict('192.0.2.4', TOKEN);
  expect(response.headers.get('RateLimit-Policy')).toBe(set.join(', '));
});

test('static files are served with security headers and an ETag that is honoured', async () => {
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/styles/base.css', 'text/css'],
    ['/styles/docs.css', 'text/css'],
  ] as const) {
    const response = await fetch(`${worker.url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toContain(type);
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    const etag = response.headers.get('ETag');
    expect(etag).toMatch(/^(W\/)?"[^"]+"$/);
    const again = await fetch(`${worker.url}${path}`, { headers: { 'If-None-Match': etag ?? '' } });
    expect(again.status).toBe(304);
  }
});

test('the Worker answers paths that are not files', async () => {
  const response = await fetch(`${worker.url}/no-such-page`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'not_found' });
  for (const path of ['/docs', '/docs/model', '/openapi.json']) {
    expect((await fetch(`${worker.url}${path}`)).status).toBe(200);
  }
});
