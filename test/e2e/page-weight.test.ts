import { expect, test } from 'vitest';
import { choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const fixture = usePage();

test('the whole page with its drawings is under 60 KB', async () => {
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
  await page.goto(fixture.url);
  await page.getByText('Model tiny-brightness').waitFor();
  await choose(page, picture(WHITE));
  await reads(page, 'It is a husky');
  const total = [...sizes].reduce((sum, [path, size]) => sum + (path.startsWith('/api/') ? 0 : size), 0);
  console.log(`${total} bytes in ${sizes.size} answers`);
  expect(sizes.size).toBeGreaterThan(25);
  for (const path of ['/', '/main.js', '/styles/page.css', '/samples/husky.svg'])
    expect(sizes.get(path)).toBeGreaterThan(300);
  expect(total).toBeLessThan(60_000);
});

test('no module is more than two imports away from the entry', async () => {
  const page = await fixture.open();
  await page.getByText('Model tiny-brightness').waitFor();
  const loaded = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => path.endsWith('.js')),
  );
  const importsOf = async (path: string) => {
    const url = new URL(path, fixture.url);
    const source = await (await fetch(url)).text();
    return Array.from(source.matchAll(/^import .* from '(\.[^']+)';/gm), ([, to = '']) => new URL(to, url).pathname);
  };
  let round = ['/main.js'];
  const seen = new Set(round);
  let rounds = 0;
  for (; round.length > 0; rounds++) {
    const next = new Set((await Promise.all(round.map(importsOf))).flat());
    round = [...next].filter((path) => !seen.has(path));
    for (const path of round) seen.add(path);
  }
  expect(rounds, 'each is a round trip before the page reacts').toBeLessThanOrEqual(3);
  expect(loaded.toSorted()).toEqual([...seen].toSorted());
});

test('the page has only the permissions that it needs', async () => {
  const { headers, status } = await fetch(fixture.url);
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
  const file = (await fetch(`${fixture.url}/main.js`)).headers;
  expect(Object.fromEntries(file)).toMatchObject({
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    etag: expect.stringMatching(/./),
  });
  expect(headers.get('strict-transport-security'), 'not on a number or on localhost').toBe(null);
});
