import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { launchChromium } from '../../scripts/chromium.ts';
import { solidPng } from '../pictures/png.ts';
import { type Visit, visit } from './page-visit.ts';
import { type RunningWorker, startWorker, type WorkerOptions } from './wrangler.ts';

// The model `brightness` takes white for a husky, and black for something else.
export const WHITE = Buffer.from(await solidPng([250, 250, 250], 64));
export const BLACK = Buffer.from(await solidPng([5, 5, 5], 64));

export const picture = (buffer: Buffer, name = 'photo.png', mimeType = 'image/png') => ({
  name,
  mimeType,
  buffer,
});

export interface PageFixture {
  /** The address of the service, without a slash at its end. */
  readonly url: string;
  /** Opens a path of the service in a fresh profile until the end of the test, and fails the test if it complains. */
  open(options?: BrowserContextOptions, path?: string): Promise<Page>;
}

/** Launches a browser for the tests of a file. They use the shared service, or one that is started with `options`. */
export function usePage(options?: WorkerOptions): PageFixture {
  let worker: RunningWorker | undefined;
  let url: string;
  let browser: Browser;
  const visits: Visit[] = [];

  beforeAll(async () => {
    worker = options && (await startWorker(options));
    url = worker?.url ?? inject('sharedService');
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await worker?.stop();
  });

  afterEach(async () => {
    const complaints = visits.flatMap((each) => each.complaints);
    // A request may still be in flight through a route of the test.
    await Promise.all(visits.map(({ page }) => page.unrouteAll({ behavior: 'ignoreErrors' })));
    await Promise.all(visits.splice(0).map((each) => each.close()));
    expect(complaints).toEqual([]);
  });

  return {
    get url() {
      return url;
    },
    async open(contextOptions, path = '/') {
      const opened = await visit(browser, url + path, contextOptions);
      visits.push(opened);
      return opened.page;
    },
  };
}

type Picture = ReturnType<typeof picture>;

export const choose = (page: Page, files: Picture | readonly Picture[] | string[]): Promise<void> =>
  page.locator('#file').setInputFiles(files as Picture[]);

/** The card of the photo with this name. */
export const cardOf = (page: Page, name = 'photo.png'): Locator => page.getByRole('article', { name, exact: true });

/** Waits until the card shows the headline, and returns all text of the card. */
export async function reads(page: Page, headline: string, name?: string): Promise<string> {
  const card = cardOf(page, name);
  await card.getByText(headline, { exact: true }).waitFor();
  return (await card.textContent()) ?? '';
}
