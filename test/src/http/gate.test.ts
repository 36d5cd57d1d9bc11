import { beforeAll, expect, test, vi } from 'vitest';
import { RateLimited } from '../../../src/errors.ts';
import { BodyPlaces } from '../../../src/http/body-places.ts';
import { addressKey, surcharge } from '../../../src/http/rate-limit.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { solidPng } from '../../pictures/png.ts';
import { toy, toyFile } from '../image/toy/codec.ts';
import { brightness, manifestOf } from '../model/publish.ts';
import { putVersion } from '../model/put-version.ts';
import { bucket, form, newService, raw, type Service } from '../service.ts';

let white: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  white = await solidPng([255, 255, 255]);
});

async function digestOf(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return new Uint8Array(digest).toHex();
}

const withHeaders = (init: RequestInit, headers: Record<string, string>): RequestInit => ({
  ...init,
  headers: { ...init.headers, ...headers },
});

/** A counter with this much room for each key. Records its keys in `keys`. */
function counter(room: number) {
  const keys: string[] = [];
  const limit = async ({ key }: RateLimitOptions) => {
    keys.push(key);
    return { success: keys.filter((each) => each === key).length <= room };
  };
  return { keys, limit };
}

const limited = (burst: number, sustained: number) => {
  const counters = { BURST: counter(burst), SUSTAINED: counter(sustained) };
  return { counters, service: newService({ RATE_LIMITS: 'on', ...counters }) };
};

const statuses = async (service: Service, requests: readonly (() => RequestInit)[], path = '/api/predict') => {
  const all: number[] = [];
  for (const request of requests) all.push((await service(path, request())).status);
  return all;
};

test.each(['/api/predict', '/huskyai/'])('%s requires a token where tokens are configured', async (path) => {
  const service = newService({ API_TOKENS: `${await digestOf('one')}, ${await digestOf('two')}` });
  const request = (header?: string) =>
    service(path, header === undefined ? form(white) : withHeaders(form(white), { Authorization: header }));
  for (const token of ['one', 'two']) expect((await request(`Bearer ${token}`)).status).toBe(200);
  expect((await request('bearer one')).status).toBe(200);
  for (const header of ['Bearer three', `Bearer ${await digestOf('one')}`, 'Bearer on']) {
    const response = await request(header);
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"');
  }
  for (const header of [undefined, 'Basic b25l', 'Bearer', 'Bearer one two', 'one']) {
    const response = await request(header);
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ code: 'unauthorized' });
  }
});

test('only predictions require a token, and /api/model says so', async () => {
  const service = newService({ API_TOKENS: await digestOf('one') });
  const model = await (await service('/api/model')).json();
  expect(model).toMatchObject({ service: { token: true } });
  for (const path of ['/api/health', '/docs', '/docs/model', '/openapi.json']) {
    expect((await service(path)).status).toBe(200);
  }
});

test('a token that is not a SHA-256 stops the start: the service never runs open by mistake', () => {
  expect(() => newService({ API_TOKENS: 'one' })).toThrow('API_TOKENS');
});

test('photos of one address are limited in both windows, and Retry-After names the window', async () => {
  const { service } = limited(2, 3);
  const first = await service('/api/predict', raw(white));
  expect(first.headers.get('RateLimit-Policy')).toBe('"burst";q=20;w=10, "sustained";q=60;w=60');
  await service('/api/predict', raw(white));
  const burst = await service('/api/predict', raw(white));
  expect(burst.status).toBe(429);
  expect(burst.headers.get('Retry-After')).toBe('10');
  expect(burst.headers.get('RateLimit-Policy')).toBe('"burst";q=20;w=10, "sustained";q=60;w=60');
  expect(await burst.json()).toMatchObject({ code: 'rate_limited' });
  const sustained = await service('/huskyai/', form(white));
  expect(sustained.status).toBe(429);
  expect(sustained.headers.get('Retry-After')).toBe('60');
});

test('every photo of a batch counts', async () => {
  const body = () => {
    const fields = new FormData();
    for (let photo = 0; photo < 3; photo++) fields.append('file', new File([white], 'photo.png'));
    return { method: 'POST', body: fields };
  };
  const { service, counters } = limited(7, 60);
  expect(await statuses(service, [body, body, body])).toEqual([200, 200, 429]);
  expect(counters.SUSTAINED.keys.length).toBe(9);
});

test('a photo that takes long to decode counts up to three times', async () => {
  expect([1, 500, 501, 1_000, 1_001, 1_500].map((each) => surcharge(each, 1_500))).toEqual([0, 0, 1, 1, 2, 2]);
  const counters = { BURST: counter(60), SUSTAINED: counter(60) };
  const vars = { RATE_LIMITS: 'on', MAX_DECODE_MS: 120, ...counters };
  const service = newService(vars, { codecs: [...codecs, toy] });
  const fields = new FormData();
  // One millisecond for a thousand pixels.
  for (const height of [10, 50, 100, 200]) fields.append('file', new File([toyFile(1000, height, [9, 9, 9])], 'a'));
  const response = await service('/api/predict', { method: 'POST', body: fields });
  const answers: unknown = await response.json();
  expect(answers).toMatchObject([{ label: 'not husky' }, {}, {}, { code: 'image_too_large' }]);
  // The last one is refused, so it counts once.
  expect(counters.BURST.keys.length).toBe(1 + 2 + 3 + 1);
});

test('a batch of sixteen ordinary photos fits an unused limit', async () => {
  const counters = { BURST: counter(20), SUSTAINED: counter(60) };
  const service = newService({ RATE_LIMITS: 'on', ...counters });
  const fields = new FormData();
  for (let photo = 0; photo < 16; photo++) fields.append('file', new File([white], 'photo.png'));
  expect((await service('/api/predict', { method: 'POST', body: fields })).status).toBe(200);
  expect(counters.BURST.keys.length).toBe(16);
});

test('addresses and tokens are counted separately', async () => {
  const counters = { BURST: counter(2), SUSTAINED: counter(60) };
  const tokens = `${await digestOf('one')} ${await digestOf('two')}`;
  const service = newService({ RATE_LIMITS: 'on', API_TOKENS: tokens, ...counters });
  const from = (address: string, token: string) => () =>
    withHeaders(raw(white), { 'CF-Connecting-IP': address, Authorization: `Bearer ${token}` });
  const requests = [
    from('192.0.2.1', 'one'),
    from('192.0.2.2', 'one'),
    from('192.0.2.3', 'one'),
    from('192.0.2.3', 'two'),
    from('192.0.2.3', 'two'),
  ];
  expect(await statuses(service, requests)).toEqual([200, 200, 429, 200, 429]);
  expect(new Set(counters.BURST.keys)).toEqual(
    new Set([
      ...['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => `address:${address}`),
      `token:${await digestOf('one')}`,
      `token:${await digestOf('two')}`,
    ]),
  );
});

/** Uploads a photo that never arrives whole, until `cancel`. */
function hang(service: Service, address: string) {
  const { readable, writable } = new FixedLengthStream(1_000);
  const writer = writable.getWriter();
  writer.write(new Uint8Array(10)).catch(() => {});
  const headers = { 'CF-Connecting-IP': address, 'Content-Type': 'image/png' };
  const response = service('/api/predict', { method: 'POST', body: readable, headers });
  return { response, cancel: () => writer.abort(new Error('gone')) };
}

test('one address sends only so many bodies at once, and others are unaffected', async () => {
  const counters = { BURST: counter(100), SUSTAINED: counter(100) };
  const service = newService({ RATE_LIMITS: 'on', MAX_BODIES_PER_ADDRESS: 2, ...counters });
  const from = (address: string) => service('/api/predict', withHeaders(raw(white), { 'CF-Connecting-IP': address }));
  const hanging = [hang(service, '2001:db8:1:2::1'), hang(service, '2001:db8:1:2::2')];
  // Until both have passed the middleware.
  await scheduler.wait(10);
  const refused = await from('2001:db8:1:2::3');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
  expect(await refused.json()).toMatchObject({
    code: 'rate_limited',
    detail: 'At most 2 uploads at the same time are accepted.',
  });
  expect((await from('2001:db8:1:3::3')).status).toBe(200);
  for (const { cancel, response } of hanging) {
    await cancel();
    expect((await response).status).toBe(408);
  }
  expect((await from('2001:db8:1:2::3')).status).toBe(200);
});

test.each([
  ['a form without a photo', () => form(white, 'photo')],
  ['JSON', () => raw('{}', 'application/json')],
  ['nothing', () => ({ method: 'POST' })],
  ['a photo', () => raw(white)],
])('%s gives its place back', async (_, request) => {
  const counters = { BURST: counter(100), SUSTAINED: counter(100) };
  const service = newService({ RATE_LIMITS: 'on', MAX_BODIES_PER_ADDRESS: 1, ...counters });
  expect(await statuses(service, [request, request])).not.toContain(429);
});

test('the place of a request that vanished is free after a while, unless its body still arrives', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const places = new BodyPlaces({ MAX_BODIES_PER_ADDRESS: 1, UPLOAD_IDLE_TIMEOUT: 1_000, MEMORY_WAIT: 500 });
    const place = places.take('address:192.0.2.1');
    vi.advanceTimersByTime(1_400);
    place.renew(1_000);
    vi.advanceTimersByTime(900);
    expect(() => places.take('address:192.0.2.1')).toThrow(RateLimited);
    vi.advanceTimersByTime(200);
    places.take('address:192.0.2.1');
  } finally {
    vi.useRealTimers();
  }
});

test('without limits one address may send any number of bodies at once', async () => {
  const service = newService({ MAX_BODIES_PER_ADDRESS: 1 });
  const { cancel, response } = hang(service, '192.0.2.1');
  await scheduler.wait(10);
  const answer = await service('/api/predict', withHeaders(raw(white), { 'CF-Connecting-IP': '192.0.2.1' }));
  expect(answer.status).toBe(200);
  await cancel();
  await response;
});

test('wrong tokens count for their address', async () => {
  const counters = { BURST: counter(1), SUSTAINED: counter(60) };
  const service = newService({ RATE_LIMITS: 'on', API_TOKENS: await digestOf('one'), ...counters });
  const guess = () => withHeaders(raw(white), { Authorization: 'Bearer guess' });
  expect(await statuses(service, [guess, guess])).toEqual([401, 429]);
});

test('requests without a photo are not limited', async () => {
  const { service } = limited(0, 0);
  for (const path of ['/api/model', '/api/health', '/docs', '/openapi.json']) {
    const response = await service(path);
    expect(response.status).toBe(200);
    expect(response.headers.has('RateLimit-Policy')).toBe(false);
  }
});

test.each(['BURST', 'SUSTAINED'])('limits that are on but have no counter %s stop the start', (name) => {
  const counters: Record<string, unknown> = { BURST: counter(1), SUSTAINED: counter(1), [name]: undefined };
  expect(() => newService({ RATE_LIMITS: 'on', ...counters })).toThrow(name);
});

test.each([
  ['192.0.2.7', 'address:192.0.2.7'],
  [undefined, 'address:none'],
  ['2001:db8:1:2:3:4:5:6', 'address:2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::1', 'address:2001:db8:1:2::/64'],
  ['2001:db8::1', 'address:2001:db8:0:0::/64'],
  ['2001:db8:0:0:ffff::', 'address:2001:db8:0:0::/64'],
  ['::1', 'address:0:0:0:0::/64'],
  ['::ffff:192.0.2.7', 'address:192.0.2.7'],
])('the address %s is counted as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});

const preflight = (origin: string, headers = 'authorization'): RequestInit => ({
  method: 'OPTIONS',
  headers: {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': headers,
  },
});

test('a preflight from a listed origin allows whatever headers it names', async () => {
  const service = newService({ CORS_ORIGINS: 'https://friend.test' });
  const names = 'content-type,traceparent,x-requested-with';
  const allowed = await service('/api/predict', preflight('https://friend.test', names));
  expect(allowed.headers.get('Access-Control-Allow-Headers')).toBe(names);
  expect(allowed.headers.get('Vary')).toContain('Access-Control-Request-Headers');
  const stranger = await service('/api/predict', preflight('https://elsewhere.test', names));
  expect(stranger.headers.has('Access-Control-Allow-Origin')).toBe(false);
});

test('origins that are not listed get no CORS headers', async () => {
  const service = newService();
  const refused = await service('/api/predict', preflight('https://elsewhere.test'));
  expect(refused.status).toBe(204);
  const answered = await service('/api/predict', withHeaders(raw(white), { Origin: 'https://elsewhere.test' }));
  for (const { headers } of [refused, answered]) expect(headers.has('Access-Control-Allow-Origin')).toBe(false);
});

test('listed origins get them on preflights, answers and failures', async () => {
  const service = newService({
    CORS_ORIGINS: 'https://friend.test https://other.test',
    API_TOKENS: await digestOf('one'),
  });
  const preflighted = await service('/api/predict', preflight('https://friend.test'));
  expect(preflighted.status).toBe(204);
  expect(preflighted.headers.get('Access-Control-Allow-Origin')).toBe('https://friend.test');
  expect(preflighted.headers.get('Access-Control-Allow-Methods')).toContain('POST');
  expect(preflighted.headers.get('Access-Control-Allow-Headers')?.toLowerCase()).toContain('authorization');
  expect(preflighted.headers.get('Vary')).toContain('Origin');
  for (const [token, status] of [
    ['one', 200],
    ['two', 401],
  ] as const) {
    const headers = { Origin: 'https://friend.test', Authorization: `Bearer ${token}` };
    const response = await service('/api/predict', withHeaders(raw(white), headers));
    expect(response.status).toBe(status);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://friend.test');
    expect(response.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After');
    expect(response.headers.get('Vary')).toContain('Origin');
  }
  const stranger = await service('/api/predict', preflight('https://friend.test.evil.test'));
  expect(stranger.headers.has('Access-Control-Allow-Origin')).toBe(false);
});
