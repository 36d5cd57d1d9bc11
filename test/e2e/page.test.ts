import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../scripts/chromium.ts';
import { drawPng, solidPng } from '../pictures/png.ts';
import { tinyRelease } from './page-models.ts';
import { dropFiles, horizontalOverflow, paste, type Visit, visit } from './page-visit.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

// The model served takes bright pictures for huskies.
const WHITE = Buffer.from(await solidPng([250, 250, 250], 64));
const BLACK = Buffer.from(await solidPng([5, 5, 5], 64));

let worker: RunningWorker;
let browser: Browser;
let release: string;
const visits: Visit[] = [];

beforeAll(async () => {
  release = await tinyRelease('brightness');
  worker = await startWorker({ release, vars: { MAX_BODY_BYTES: 1_000_000 } });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await worker?.stop();
  await rm(release, { recursive: true });
});

afterEach(async () => {
  const complaints = visits.flatMap((each) => each.complaints);
  await Promise.all(visits.splice(0).map((each) => each.close()));
  expect(complaints).toEqual([]);
});

async function open(options?: BrowserContextOptions): Promise<Page> {
  const opened = await visit(browser, worker.url, options);
  visits.push(opened);
  return opened.page;
}

const png = (buffer: Buffer, name = 'photo.png') => ({ name, mimeType: 'image/png', buffer });
const choose = (page: Page, file: ReturnType<typeof png>) =>
  page.locator('input[type=file]').setInputFiles(file);
const outcome = (page: Page) => page.getByRole('region', { name: 'Your photo' }).getByRole('status');

/** Waits until the card says this; the other texts of the outcome are in what it returns. */
async function reads(page: Page, headline: string): Promise<string | null> {
  await outcome(page).getByRole('heading', { name: headline, exact: true }).waitFor();
  return outcome(page).textContent();
}

test('a chosen photo gets its verdict, with the score as a number and as a bar', async () => {
  const page = await open();
  await choose(page, png(WHITE));
  expect(await reads(page, 'It is a husky')).toMatch(/\d\d\.\d% husky score/);
  await page.getByText('yes above 50%').waitFor();
  expect(
    await page.locator('.score .fill').evaluate((fill) => fill.getBoundingClientRect().width),
  ).toBeGreaterThan(300);
  expect(
    await page
      .getByAltText('Preview of what you chose')
      .evaluate((image: HTMLImageElement) => image.naturalWidth),
  ).toBe(64);
});

test('the photo alone is sent, without its name', async () => {
  const page = await open();
  const sent = page.waitForRequest('**/api/predict');
  await choose(page, png(WHITE, 'my-secret-dog.png'));
  const headers = await (await sent).allHeaders();
  expect(headers['content-length']).toBe(String(WHITE.byteLength));
  expect(JSON.stringify(headers)).not.toContain('secret');
  await reads(page, 'It is a husky');
});

test('a second photo replaces the first', async () => {
  const page = await open();
  await choose(page, png(WHITE));
  await reads(page, 'It is a husky');
  await choose(page, png(BLACK));
  expect(await reads(page, 'Does not look like a husky')).toMatch(/\d\.\d% husky score/);
  expect(await page.getByText('It is a husky').count()).toBe(0);
});

test('a photo chosen while another is on its way stops that one', async () => {
  const page = await open();
  const first = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/api/predict'));
  await page.route('**/api/predict', (route) => setTimeout(() => route.continue().catch(() => {}), 2_000), {
    times: 1,
  });
  await choose(page, png(WHITE));
  await choose(page, png(BLACK));
  expect((await first).failure()?.errorText).toBe('net::ERR_ABORTED');
  await reads(page, 'Does not look like a husky');
});

test('a dropped photo gets its verdict', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-drop-'));
  const path = join(folder, 'white.png');
  await writeFile(path, WHITE);
  const page = await open();
  await dropFiles(page, [path]);
  await reads(page, 'It is a husky');
  await rm(folder, { recursive: true });
});

test('a dropped folder is told from a photo', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-drop-'));
  const page = await open();
  await dropFiles(page, [folder]);
  await reads(page, 'This file cannot be read');
  await rm(folder, { recursive: true });
});

test('a pasted photo gets its verdict, pasted text a hint', async () => {
  const page = await open();
  await paste(page, 'no photo');
  await page.getByText('That was not a photo').waitFor();
  await paste(page, BLACK);
  await reads(page, 'Does not look like a husky');
  expect(await page.getByText('That was not a photo').count()).toBe(0);
});

test('the keyboard is enough', async () => {
  const page = await open();
  const photos = [WHITE, BLACK];
  page.on('filechooser', (chooser) => chooser.setFiles(png(photos.shift() ?? Buffer.alloc(0))));
  // Choosers are caught for certain only in a document that is loaded afterwards.
  await page.reload();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await reads(page, 'It is a husky');
  await page.keyboard.press('Enter');
  await reads(page, 'Does not look like a husky');
});

test('what is no photo is refused in plain words, and the next photo works', async () => {
  const page = await open();
  for (const [bytes, headline] of [
    [Buffer.from('not a photo at all'), 'This kind of file is not supported'],
    [Buffer.alloc(0), 'This file is empty'],
    [WHITE.subarray(0, WHITE.byteLength / 2), 'This photo is damaged'],
    [Buffer.concat([WHITE, Buffer.alloc(1_000_000)]), 'This file is too large'],
  ] as const) {
    await choose(page, png(bytes));
    await reads(page, headline);
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  }
  await choose(page, png(WHITE));
  await reads(page, 'It is a husky');
});

test('offline is told from a service that is gone, and both pass', async () => {
  const page = await open();
  await page.context().setOffline(true);
  await page.waitForFunction('!navigator.onLine');
  await choose(page, png(WHITE));
  await reads(page, 'You are offline');
  await page.context().setOffline(false);
  await page.waitForFunction('navigator.onLine');
  await page.route('**/api/predict', (route) => route.abort('connectionrefused'), { times: 1 });
  await page.getByRole('button', { name: 'Try again' }).click();
  await reads(page, 'The service cannot be reached');
  await page.getByRole('button', { name: 'Try again' }).click();
  await reads(page, 'It is a husky');
});

test('answers that make no sense and waits asked for are told in plain words, and the photo is tried again', async () => {
  const html = { contentType: 'text/html', body: '<h1>Not the service</h1>' };
  const page = await open();
  // What stands between page and Worker cannot be provoked here, so its answers are put in.
  for (const [answer, headline, more] of [
    [{ status: 502, ...html }, 'The answer makes no sense', ''],
    [{ status: 200, ...html }, 'The answer makes no sense', ''],
    [
      { status: 429, headers: { 'Retry-After': '7' }, json: { code: 'rate_limited' } },
      'That was quick',
      'in 7 seconds',
    ],
    [
      { status: 418, json: { code: 'teapot', title: 'I am a teapot', detail: 'Short.' } },
      'I am a teapot',
      'Short.',
    ],
  ] as const) {
    await page.route('**/api/predict', (route) => route.fulfill(answer), { times: 1 });
    await choose(page, png(WHITE));
    expect(await reads(page, headline)).toContain(more);
    await page.getByRole('button', { name: 'Try again' }).click();
    await reads(page, 'It is a husky');
  }
});

test('a slow upload shows how far it is', async () => {
  let state = 1;
  const noise = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state & 255;
  };
  const large = Buffer.from(await drawPng(300, 300, () => [noise(), noise(), noise()]));
  const page = await open();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 150_000,
  });
  await choose(page, png(large));
  const bar = page.locator('[role=progressbar][aria-label=Upload]');
  await bar.waitFor();
  const seen: number[] = [];
  while (await bar.isVisible()) {
    const percent = await bar.getAttribute('aria-valuenow');
    if (percent !== null) seen.push(Number(percent));
  }
  expect(new Set(seen).size).toBeGreaterThan(2);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});

test.for([
  { width: 320, height: 640 },
  { width: 390, height: 844 },
])('$width pixels are wide enough', async (viewport) => {
  const page = await open({ viewport, isMobile: true, hasTouch: true });
  expect(await horizontalOverflow(page)).toBe(0);
  await choose(page, png(WHITE));
  await reads(page, 'It is a husky');
  expect(await horizontalOverflow(page)).toBe(0);
});

test('the colours follow the system', async () => {
  const lightness = (page: Page) =>
    page.locator('body').evaluate((body) => {
      const [red = 0, green = 0, blue = 0] =
        getComputedStyle(body).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
      return (red + green + blue) / 3;
    });
  expect(await lightness(await open({ colorScheme: 'light' }))).toBeGreaterThan(200);
  expect(await lightness(await open({ colorScheme: 'dark' }))).toBeLessThan(60);
});

test('the page says what is served, and the command that it shows works', async () => {
  const page = await open();
  await page
    .getByText(/^Model tiny-brightness · version [0-9a-f]{12} · signature of key [0-9a-f]{12} verified .*\d/)
    .waitFor();
  expect(await page.locator('#curl').textContent()).toBe(`curl -F file=@photo.jpg ${worker.url}/api/predict`);
});

test('without scripts the form posts the photo and the service answers', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.locator('input[type=file]').setInputFiles(png(WHITE));
  await page.getByRole('button', { name: 'Is it a husky?' }).click();
  await page.waitForURL('**/api/predict');
  expect(await page.locator('body').textContent()).toContain('"label":"husky"');
});
