import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { BLACK, choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const { open } = usePage();

const many = (count: number) => Array.from({ length: count }, (_, index) => picture(WHITE, `${index}.png`));

/** Answers the next `times` photos like this, and passes the others to the service. */
async function answerFirst(
  page: Page,
  times: number,
  answer: Parameters<import('playwright-core').Route['fulfill']>[0],
) {
  const asked: number[] = [];
  await page.route(
    '**/api/predict',
    (route) => {
      asked.push(performance.now());
      return route.fulfill(answer);
    },
    { times },
  );
  return asked;
}

test.for([
  { status: 429, code: 'rate_limited' },
  { status: 503, code: 'overloaded' },
])('$status is waited out as the service asks, with a word of it, and nothing is lost', async ({ status, code }) => {
  const page = await open();
  const refused = await answerFirst(page, 3, {
    status,
    headers: { 'Retry-After': '2' },
    json: { code, title: 'x', status, type: 'x', detail: 'x' },
  });
  const again = page.waitForResponse((response) => response.status() === 200 && response.url().endsWith('/predict'));
  await choose(page, many(8));
  const pause = page.locator('#pause');
  await pause.filter({ hasText: /^The service needs a moment\. Continuing in (2 seconds|1 second)\.$/ }).waitFor();
  await again;
  expect(performance.now() - (refused[0] ?? 0)).toBeGreaterThan(1_900);
  await page.getByRole('heading', { name: '8 photos: 8 husky' }).waitFor();
  expect(refused.length).toBe(3);
  expect(await pause.isVisible()).toBe(false);
  await page.locator('#news').getByText('8 photos: 8 husky').waitFor({ state: 'attached' });
});

test('a photo that is refused too often fails, and can be retried by hand', async () => {
  const page = await open();
  const json = { code: 'rate_limited', title: 'x', status: 429, type: 'x', detail: 'x' };
  const refused = await answerFirst(page, 6, { status: 429, headers: { 'Retry-After': '1' }, json });
  await choose(page, picture(WHITE));
  expect(await reads(page, 'That was quick')).toContain('Try again in 1 second');
  expect(refused.length).toBe(6);
  await page.getByRole('button', { name: 'Try again' }).click();
  await reads(page, 'It is a husky');
});

test('a wait of hours is reported instead of waited out', async () => {
  const page = await open();
  const json = { code: 'rate_limited', title: 'x', status: 429, type: 'x', detail: 'x' };
  const refused = await answerFirst(page, 1, { status: 429, headers: { 'Retry-After': '7200' }, json });
  await choose(page, picture(WHITE));
  expect(await reads(page, 'That was quick')).toContain('Try again in 120 minutes');
  expect(refused.length).toBe(1);
});

test('being offline differs from an unreachable service, and resumes by itself', async () => {
  const page = await open();
  await page.context().setOffline(true);
  await page.waitForFunction(() => !navigator.onLine);
  await choose(page, [picture(WHITE, 'a.png'), picture(BLACK, 'b.png')]);
  await reads(page, 'You are offline', 'a.png');
  await reads(page, 'You are offline', 'b.png');
  await page.context().setOffline(false);
  await reads(page, 'It is a husky', 'a.png');
  await reads(page, 'Does not look like a husky', 'b.png');

  await page.route('**/api/predict', (route) => route.abort('connectionrefused'), { times: 2 });
  await choose(page, [picture(WHITE, 'c.png'), picture(WHITE, 'd.png')]);
  await reads(page, 'The service cannot be reached', 'c.png');
  await reads(page, 'The service cannot be reached', 'd.png');
  await page.getByRole('button', { name: 'Try 2 again' }).click();
  await page.getByRole('heading', { name: '4 photos: 3 husky, 1 not husky' }).waitFor();
});

test('nonsensical answers are reported in plain words, and the photo can be retried', async () => {
  const html = { contentType: 'text/html', body: '<h1>Not the service</h1>' };
  const page = await open();
  // Proxies between page and Worker cannot be provoked here, so the test injects their answers.
  for (const [answer, headline, more] of [
    [{ status: 502, ...html }, 'The answer makes no sense', ''],
    [{ status: 200, ...html }, 'The answer makes no sense', ''],
    [{ status: 200, json: { label: 7 } }, 'The answer makes no sense', ''],
    [{ status: 503, json: { code: 'model_unavailable' } }, 'The model is not available', 'Your photo is fine'],
    [{ status: 418, json: { code: 'teapot', title: 'I am a teapot', detail: 'Short.' } }, 'I am a teapot', 'Short.'],
  ] as const) {
    await answerFirst(page, 1, answer);
    await choose(page, picture(WHITE));
    expect(await reads(page, headline)).toContain(more);
    await page.getByRole('button', { name: 'Try again' }).click();
    await reads(page, 'It is a husky');
    await page.getByRole('button', { name: 'Remove photo.png' }).click();
  }
});
