import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const TOKEN = 'a-token-for-tests';
const digest = createHash('sha256').update(TOKEN).digest('hex');
const { open } = usePage({
  model: 'brightness',
  vars: { API_TOKENS: digest, SCORES: 'label', SOURCE_URL: 'https://example.org/husky' },
});

test('a service that requires a token gets a field for it; wrong, missing and right tokens differ', async () => {
  const page = await open();
  await page.getByLabel('Token').waitFor();
  expect(await page.locator('#curl').textContent()).toContain("-H 'Authorization: Bearer YOUR-TOKEN'");
  const asked: (string | undefined)[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') asked.push(request.headers().authorization);
  });

  await choose(page, [picture(WHITE, 'a.png'), picture(WHITE, 'b.png')]);
  await reads(page, 'This service needs a token', 'a.png');
  await reads(page, 'This service needs a token', 'b.png');
  expect(asked, 'no photo is sent in vain').toEqual([]);

  await page.getByLabel('Token').fill('wrong');
  await page.getByLabel('Token').press('Enter');
  await page.getByText('The service rejected this token.').waitFor();
  await reads(page, 'This service needs a token', 'b.png');

  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
  await page.getByRole('heading', { name: '2 photos: 2 husky' }).waitFor();
  expect(asked.at(-1)).toBe(`Bearer ${TOKEN}`);

  await page.reload();
  await page.getByText('This tab keeps your token until you close it.').waitFor();
  await choose(page, picture(WHITE));
  await reads(page, 'It is a husky');
  expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, '']);
});

test('a service that hides scores shows the verdict only, and the source link appears', async () => {
  const page = await open();
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByLabel('Token').press('Enter');
  await choose(page, picture(WHITE));
  expect(await reads(page, 'It is a husky')).toContain('gives its verdict only');
  expect(await page.locator('.number, .score').filter({ visible: true }).count()).toBe(0);
  expect(await page.getByRole('link', { name: 'Source' }).getAttribute('href')).toBe('https://example.org/husky');
});

test('the model card links to the source', async () => {
  const page = await open({}, '/docs/model');
  const link = page.getByRole('link', { name: 'Source code of this service' });
  expect(await link.getAttribute('href')).toBe('https://example.org/husky');
});
