import { expect, test } from 'vitest';
import { reads, usePage } from './page-fixture.ts';

const { open } = usePage({});

test.each([
  ['Husky', 'It is a husky'],
  ['Cat', 'Does not look like a husky'],
  ['House', 'Does not look like a husky'],
])('the committed model knows what the drawing “%s” shows', async (name, verdict) => {
  const page = await open();
  await page.getByRole('button', { name, exact: true }).click();
  expect(await reads(page, verdict, `${name}.png`)).toMatch(/\d% husky score/);
});
