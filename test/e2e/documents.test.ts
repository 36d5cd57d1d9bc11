/// <reference lib="dom" />
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { solidPng } from '../pictures/png.ts';
import { findViolations } from './axe.ts';
import { usePage } from './page-fixture.ts';
import { horizontalOverflow } from './page-visit.ts';

const fixture = usePage();

/** Navigates to the answer that a form without scripts would get. */
async function sendForm(page: Page, files: readonly (Buffer<ArrayBuffer> | string)[]): Promise<void> {
  const form = new FormData();
  for (const file of files) form.append('file', new File([file], 'photo.png'));
  const response = await fetch(`${fixture.url}/api/predict`, {
    method: 'POST',
    body: form,
    headers: { Accept: 'text/html' },
  });
  const answer = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
  await page.route('**/api/predict', (route) => route.fulfill(answer));
  await page.goto(`${fixture.url}/api/predict`);
}

const WHITE = Buffer.from(await solidPng([250, 250, 250]));

const pages: readonly [name: string, heading: string, open: (page: Page) => Promise<unknown>][] = [
  ['the documentation', 'The API', (page) => page.goto(`${fixture.url}/docs`)],
  ['the card of the model', 'tiny-brightness', (page) => page.goto(`${fixture.url}/docs/model`)],
  ['a verdict', 'Husky', (page) => sendForm(page, [WHITE])],
  ['several verdicts', 'Your photos', (page) => sendForm(page, [WHITE, 'no photo'])],
  ['a problem', 'The request carries no photo', (page) => sendForm(page, [''])],
];

test.each(pages)(
  '%s passes axe, fits a narrow screen, and sends requests to this service only',
  async (_, heading, open) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await fixture.open({ colorScheme });
      await open(page);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(heading);
      // The palette is that of the page, in both schemes.
      const [background, ink] = await page.evaluate(() => {
        const { backgroundColor, color } = getComputedStyle(document.body);
        return [backgroundColor, color];
      });
      expect([background, ink]).toEqual(
        colorScheme === 'light' ? ['rgb(230, 238, 246)', 'rgb(22, 34, 47)'] : ['rgb(11, 19, 31)', 'rgb(233, 241, 249)'],
      );
      expect(await findViolations(page)).toEqual([]);
      await page.setViewportSize({ width: 320, height: 700 });
      expect(await horizontalOverflow(page)).toBe(0);
    }
  },
);
