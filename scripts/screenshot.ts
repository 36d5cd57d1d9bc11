/// <reference lib="dom" />
/**
 * `npm run screenshot -- [--url URL] [--name NAME]`: takes a picture of a running service for docs/images, wide and narrow
 * side by side, with verdicts on the sample drawings. Default: http://127.0.0.1:8787, the address of `npm start`, and `page`, the
 * README's picture.
 *
 * `npm run screenshot -- --report FILE`: takes the picture of a report of `model:watch`, light and dark side by side.
 */

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from './chromium.ts';

const FOLDER = 'docs/images';
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };
/** Device pixels per CSS pixel. */
const SCALE = 1.5;

type Scheme = 'light' | 'dark';

/** Takes a picture of the page with verdicts on the samples, and with their heat maps if the model has some. */
async function shoot(
  browser: Browser,
  url: string,
  viewport: typeof WIDE,
  colorScheme: Scheme,
  samples: readonly string[],
) {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    deviceScaleFactor: SCALE,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByText('signed by key').waitFor();
  const heat = page.locator('#heat-switch');
  if (await heat.isVisible()) await heat.check();
  for (const [index, name] of samples.entries()) {
    await page.getByRole('button', { name, exact: true }).click();
    await page.locator('.number').filter({ visible: true }).nth(index).waitFor();
  }
  await page.mouse.move(0, 0);
  await page.evaluate(() => scrollTo(0, 0));
  await settle(page);
  const png = await page.screenshot();
  await context.close();
  return png;
}

const REPORT = { width: 900, height: 600 };

async function shootReport(browser: Browser, file: string, colorScheme: Scheme) {
  const context = await browser.newContext({ viewport: REPORT, colorScheme, deviceScaleFactor: SCALE });
  const page = await context.newPage();
  await page.goto(String(pathToFileURL(resolve(file))));
  await settle(page);
  const png = await page.screenshot({ fullPage: true });
  await context.close();
  return png;
}

/** Waits until images are decoded and fonts are loaded. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all(Array.from(document.images, (image) => image.decode()));
  });
}

/** Joins pictures side by side into one, with the round corners of screens. */
async function join(browser: Browser, pictures: readonly Buffer[]): Promise<Buffer> {
  const page = await browser.newPage();
  const images = pictures.map((png) => `<img alt="" src="data:image/png;base64,${png.toString('base64')}">`);
  await page.setContent(
    `<style>
      body { margin: 0; background: none }
      div { display: inline-flex; gap: 24px; padding: 8px 8px 32px }
      img { height: 800px; border-radius: 16px; box-shadow: 0 0 0 1px #16222f26, 0 8px 24px #16222f33 }
    </style><div>${images.join('')}</div>`,
  );
  await settle(page);
  const png = await page.locator('div').screenshot({ omitBackground: true });
  await page.close();
  return png;
}

async function save(name: string, png: Buffer): Promise<void> {
  const path = `${FOLDER}/${name}`;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(path, png);
  console.log(`${path}: ${Math.ceil((await stat(path)).size / 1000)} kB`);
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8787' },
    name: { type: 'string', default: 'page' },
    report: { type: 'string' },
  },
});
const browser = await launchChromium();
try {
  if (values.report === undefined) {
    const wide = await shoot(browser, values.url, WIDE, 'light', ['House', 'Cat', 'Husky']);
    const narrow = await shoot(browser, values.url, NARROW, 'dark', ['Husky']);
    await save(`${values.name}.png`, await join(browser, [wide, narrow]));
  } else {
    const light = await shootReport(browser, values.report, 'light');
    const dark = await shootReport(browser, values.report, 'dark');
    await save('watch.png', await join(browser, [light, dark]));
  }
} finally {
  await browser.close();
}
