import { rm } from 'node:fs/promises';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchChromium } from '../../scripts/chromium.ts';
import { solidPng } from '../pictures/png.ts';
import { type TinyModel, tinyRelease } from './page-models.ts';
import { type Visit, visit } from './page-visit.ts';
import { type RunningWorker, startWorker, type WorkerOptions } from './wrangler.ts';

// What the model `brightness` takes for a husky, and what not.
export const WHITE = Buffer.from(await solidPng([250, 250, 250], 64));
export const BLACK = Buffer.from(await solidPng([5, 5, 5], 64));

export const picture = (buffer: Buffer, name = 'photo.png', mimeType = 'image/png') => ({
  name,
  mimeType,
  buffer,
});

export interface PageFixture {
  readonly worker: RunningWorker;
  readonly browser: Browser;
  /** Opens the page in a fresh profile; after the test it is closed, and may not have complained of anything. */
  open(options?: BrowserContextOptions, path?: string): Promise<Page>;
}

/** A running service with a tiny model (null: the committed one) and a browser, for all tests of a file. */
export function usePage(model: TinyModel | null, vars: WorkerOptions['vars'] = {}): PageFixture {
  let worker: RunningWorker;
  let browser: Browser;
  let release: string | undefined;
  const visits: Visit[] = [];

  beforeAll(async () => {
    release = model === null ? undefined : await tinyRelease(model);
    worker = await startWorker({ ...(release !== undefined && { release }), vars });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await worker?.stop();
    if (release) await rm(release, { recursive: true });
  });

  afterEach(async () => {
    const complaints = visits.flatMap((each) => each.complaints);
    // A request may still be on its way through a test's own route.
    await Promise.all(visits.map(({ page }) => page.unrouteAll({ behavior: 'ignoreErrors' })));
    await Promise.all(visits.splice(0).map((each) => each.close()));
    expect(complaints).toEqual([]);
  });

  return {
    get worker() {
      return worker;
    },
    get browser() {
      return browser;
    },
    async open(options, path = '/') {
      const opened = await visit(browser, worker.url + path, options);
      visits.push(opened);
      return opened.page;
    },
  };
}

type Picture = ReturnType<typeof picture>;

export const choose = (page: Page, files: Picture | readonly Picture[] | string[]): Promise<void> =>
  page.locator('#file').setInputFiles(files as Picture[]);

/** The card of the photo with this name. */
export const cardOf = (page: Page, name = 'photo.png'): Locator =>
  page.getByRole('article', { name, exact: true });

/** Waits until the card says this, and returns all that it says. */
export async function reads(page: Page, headline: string, name?: string): Promise<string> {
  const card = cardOf(page, name);
  await card.getByText(headline, { exact: true }).waitFor();
  return (await card.textContent()) ?? '';
}
