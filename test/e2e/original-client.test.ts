/// <reference lib="dom" />
import { rm } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../scripts/chromium.ts';
import { solidPng } from '../pictures/png.ts';
import { tinyRelease } from './page-models.ts';
import { visit } from './page-visit.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

let release: string;
let worker: RunningWorker;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  release = await tinyRelease('brightness');
  worker = await startWorker({ release });
  browser = await launchChromium();
  ({ page } = await visit(browser, worker.url));
});

afterAll(async () => {
  await browser?.close();
  await worker?.stop();
  await rm(release, { recursive: true });
});

/** What the original's page does with a chosen file: it sends it by XMLHttpRequest and parses what comes back. */
async function sendAsOriginal(file: Uint8Array, name: string): Promise<{ status: number; answer: unknown }> {
  return page.evaluate(
    ([base64, fileName]) =>
      new Promise((resolve, reject) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const form = new FormData();
        form.append('file', new File([bytes], fileName));
        const request = new XMLHttpRequest();
        request.open('POST', '/huskyai/');
        request.onload = () => resolve({ status: request.status, answer: JSON.parse(request.responseText) });
        request.onerror = () => reject(new Error('the request failed'));
        request.send(form);
      }),
    [Buffer.from(file).toString('base64'), name] as const,
  );
}

test('the original’s page gets what it parses', async () => {
  const husky = await sendAsOriginal(await solidPng([255, 255, 255]), 'photo.png');
  expect(husky).toEqual({ status: 200, answer: { score: '100.00', text: 'It is a husky!' } });
  const other = await sendAsOriginal(await solidPng([0, 0, 0]), 'photo.png');
  expect(other).toEqual({
    status: 200,
    answer: { score: '0.00', text: 'Does not look like a husky to me.' },
  });
});

test('and a problem where the original refused', async () => {
  expect(await sendAsOriginal(Buffer.from('no photo'), 'photo.txt')).toMatchObject({
    status: 415,
    answer: { code: 'unsupported_media_type' },
  });
});

test('its address leads to the page', async () => {
  const response = await fetch(`${worker.url}/huskyai/`);
  expect(response.url).toBe(`${worker.url}/`);
  expect(response.headers.get('Content-Type')).toContain('text/html');
});
