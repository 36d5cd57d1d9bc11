/// <reference lib="dom" />
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { launchChromium } from '../../scripts/chromium.ts';
import { solidPng } from '../pictures/png.ts';
import { tinyRelease } from './page-models.ts';
import { horizontalOverflow, visit } from './page-visit.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

let release: string;
let worker: RunningWorker;
let browser: Browser;
let axe: string;

beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  release = await tinyRelease('brightness');
  worker = await startWorker({ release, vars: { SOURCE_URL: 'https://source.test/' } });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await worker?.stop();
  await rm(release, { recursive: true });
});

const Findings = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

/** What axe finds wrong with the page: the rule, and the first element that breaks it. */
async function violationsOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = Findings.parse(await page.evaluate('axe.run()'));
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** Puts what a form without scripts would get into the page, at the address that answers it. */
async function sendForm(page: Page, files: readonly (Buffer<ArrayBuffer> | string)[]): Promise<void> {
  const form = new FormData();
  for (const file of files) form.append('file', new File([file], 'photo.png'));
  const response = await fetch(`${worker.url}/api/predict`, {
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
  await page.goto(`${worker.url}/api/predict`);
}

const WHITE = Buffer.from(await solidPng([250, 250, 250]));

const pages: readonly [name: string, heading: string, open: (page: Page) => Promise<unknown>][] = [
  ['the documentation', 'The API', (page) => page.goto(`${worker.url}/docs`)],
  ['the card of the model', 'tiny-brightness', (page) => page.goto(`${worker.url}/docs/model`)],
  ['a verdict', 'Husky', (page) => sendForm(page, [WHITE])],
  ['several verdicts', 'Your photos', (page) => sendForm(page, [WHITE, 'no photo'])],
  ['a problem', 'The request carries no photo', (page) => sendForm(page, [''])],
];

test.each(pages)(
  '%s: axe finds nothing, it fits a narrow screen, and asks nobody else',
  async (_, heading, open) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints, close } = await visit(browser, worker.url, { colorScheme });
      await open(page);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(heading);
      // The palette is the house's, in both schemes.
      const [background, ink] = await page.evaluate(() => {
        const { backgroundColor, color } = getComputedStyle(document.body);
        return [backgroundColor, color];
      });
      expect([background, ink]).toEqual(
        colorScheme === 'light'
          ? ['rgb(230, 238, 246)', 'rgb(22, 34, 47)']
          : ['rgb(11, 19, 31)', 'rgb(233, 241, 249)'],
      );
      expect(await violationsOn(page)).toEqual([]);
      await page.setViewportSize({ width: 320, height: 700 });
      expect(await horizontalOverflow(page)).toBe(0);
      expect(complaints).toEqual([]);
      await close();
    }
  },
);

test('the card leads to the source where that is configured', async () => {
  const { page, close } = await visit(browser, `${worker.url}/docs/model`);
  const link = page.getByRole('link', { name: 'The source of this service' });
  expect(await link.getAttribute('href')).toBe('https://source.test/');
  await close();
});
