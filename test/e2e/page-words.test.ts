import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../scripts/chromium.ts';
import { PROBLEM_CODES } from '../../src/api/problems.ts';
import { solidPng } from '../pictures/png.ts';
import { type Visit, visit } from './page-visit.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

let worker: RunningWorker;
let browser: Browser;
let opened: Visit;
let page: Page;

beforeAll(async () => {
  worker = await startWorker({ model: 'colour' });
  browser = await launchChromium();
  opened = await visit(browser, worker.url);
  page = opened.page;
});

afterAll(async () => {
  await browser?.close();
  await worker?.stop();
});

/** Evaluates `use` on a module of the served page. */
const inPage = <T>(path: string, use: string): Promise<T> => page.evaluate<T>(`import('${path}').then(${use})`);

test('another classifier is presented with its own labels', async () => {
  await page.getByRole('heading', { name: 'What is in the photo?' }).waitFor();
  expect(await page.title()).toBe('What is in the photo? · Husky AI');

  const red = Buffer.from(await solidPng([250, 10, 10]));
  await page.locator('#file').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: red });
  await page.getByRole('article').getByText('Red panda', { exact: true }).waitFor();
  const rows = await page.getByRole('list', { name: 'Most likely labels' }).getByRole('listitem').allTextContents();
  expect(rows[0]).toMatch(/^red panda(> )?\d+\.\d%$/);
  expect(
    rows
      .slice(1)
      .map((row) => row.replace(/[^a-z ]+$/, ''))
      .toSorted(),
  ).toEqual(['blue whale', 'green tree frog']);
  expect(await page.getByText('yes above').isVisible()).toBe(false);
  expect(opened.complaints).toEqual([]);
});

test('every failure of the API has its own plain message', async () => {
  const codes = PROBLEM_CODES;
  const headlines = await inPage<string[]>(
    '/words.js',
    `({ words }) => ${JSON.stringify(codes)}.map((code) => words.problem({ code, title: 'not this one' }).headline)`,
  );
  expect(headlines).not.toContain('not this one');
  expect(new Set(headlines).size).toBe(codes.length);
});

test.for([
  [1, '100.0%'],
  [0.99999, '> 99.9%'],
  [0.5, '50.0%'],
  [0.00001, '< 0.1%'],
  [0, '0.0%'],
] as const)('%d is shown as %s', async ([probability, text]) => {
  const shown = await inPage('/words.js', `({ words }) => words.percent(${probability})`);
  expect(shown).toBe(text);
});

test('rounded scores are shown rounded', async () => {
  expect(await inPage('/words.js', `({ words }) => words.percent(0.97, 'rounded')`)).toBe('about 97%');
});

test.for([
  ['husky', '["husky", "not husky"]', 'It is a husky', 'yes'],
  ['not husky', '["husky", "not husky"]', 'Does not look like a husky', 'no'],
  ['Akita', '["Akita", "husky", "samoyed"]', 'Akita', 'other'],
] as const)('a label alone, %s of %s, is a verdict', async ([label, labels, headline, mood]) => {
  const verdict = await inPage(
    '/interface/verdict.js',
    `({ decideVerdict }) => decideVerdict({ label: ${JSON.stringify(label)}, threshold: null }, ${labels})`,
  );
  expect(verdict).toMatchObject({ headline, mood, bars: [] });
  expect(verdict).not.toHaveProperty('score', expect.any(Number));
});
