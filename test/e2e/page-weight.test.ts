import { expect, test } from 'vitest';
import { choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const fixture = usePage('brightness');

test('the whole page, drawings and all, is under 60 KB', async () => {
  const page = await fixture.open(undefined, '/api/health');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  const sizes = new Map<string, number>();
  const paths = new Map<string, string>();
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    paths.set(requestId, new URL(response.url).pathname);
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    sizes.set(paths.get(requestId) ?? '', encodedDataLength);
  });
  await page.goto(fixture.worker.url);
  await page.getByText('Model tiny-brightness').waitFor();
  await choose(page, picture(WHITE));
  await reads(page, 'It is a husky');
  const total = [...sizes].reduce((sum, [path, size]) => sum + (path.startsWith('/api/') ? 0 : size), 0);
  console.log(`${total} bytes in ${sizes.size} answers`);
  expect(sizes.size).toBeGreaterThan(30);
  for (const path of ['/', '/main.js', '/card.css', '/samples/husky.svg'])
    expect(sizes.get(path)).toBeGreaterThan(300);
  expect(total).toBeLessThan(60_000);
});

test('every file is asked for in the first round, so that none waits for another', async () => {
  const page = await fixture.open();
  await page.getByText('Model tiny-brightness').waitFor();
  const { loaded, named } = await page.evaluate(() => ({
    loaded: performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    named: [...document.querySelectorAll<HTMLLinkElement | HTMLScriptElement>('link[href], script[src]')].map(
      (each) => new URL('href' in each ? each.href : each.src).pathname,
    ),
  }));
  const modules = loaded.filter((path) => path.endsWith('.js') || path.endsWith('.css'));
  expect(modules.toSorted()).toEqual(named.filter((path) => /\.(js|css)$/.test(path)).toSorted());
});

test('the page may do what it needs and nothing else', async () => {
  const { headers, status } = await fetch(fixture.worker.url);
  expect(status).toBe(200);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(policy).not.toMatch(/unsafe|data:|http|\*/);
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'permissions-policy': expect.stringContaining('camera=()'),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    etag: expect.stringMatching(/./),
  });
  const file = (await fetch(`${fixture.worker.url}/main.js`)).headers;
  expect(Object.fromEntries(file)).toMatchObject({
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    etag: expect.stringMatching(/./),
  });
  expect(headers.get('strict-transport-security'), 'not on a number or on localhost').toBe(null);
});
