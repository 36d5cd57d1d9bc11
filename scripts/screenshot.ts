/// <reference lib="dom" />
/**
 * `node scripts/screenshot.ts [--url URL]`: the README's pictures of a running service, with a drawing of its own
 * for a photo. Default: http://127.0.0.1:8787, where `npm start` serves.
 */

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from './chromium.ts';

const FOLDER = 'docs/images';
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

type Scheme = 'light' | 'dark';

/** A husky in the snow as PNG, drawn by the browser from the logo that the page serves. */
async function drawPhoto(browser: Browser): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 960, height: 640 } });
  const icon = Buffer.from(await readFile('static/icon.svg')).toString('base64');
  await page.setContent(`
    <style>
      body { margin: 0; height: 640px; overflow: hidden; background: linear-gradient(#8fbfe6, #dcebf7 60%) }
      svg, img { position: absolute; left: 0 }
      img { left: 330px; top: 70px; width: 300px }
    </style>
    <svg viewBox="0 0 960 640" width="960" height="640">
      <path fill="#b7cfe3" d="M0 420 170 210l120 130 150-220 190 240 130-120 200 180v220H0z"/>
      <path fill="#f4f9fd" d="m440 120 62 78-38-8-24 30-26-26-28 14zM170 210l44 48-26-4-18 18-18-16-22 12z"/>
      <path fill="#55728a" d="M60 470 95 350l35 120zM120 490l30-100 30 100zM800 480l38-130 38 130zM870 500l28-95 28 95z"/>
      <path fill="#fff" d="M0 470q240-60 480-10t480-20v200H0z"/>
    </svg>
    <svg viewBox="0 0 960 640" width="960" height="640">
      <path fill="#3a4a5e" d="M560 580q150-10 150-140-4-50-50-56 30 60-50 96l-60 20zM380 300h200q70 150 50 270H330q-20-120 50-270z"/>
      <path fill="#fff" d="M410 320h140q20 110-30 160 20 60 10 90H430q-10-30 10-90-50-50-30-160z"/>
      <path fill="#fff" d="M330 590q0-44 50-44t50 44zM530 590q0-44 50-44t50 44zM690 380q30 8 22 50-14-26-40-46z"/>
      <path fill="#e3eef7" d="M0 560q260 40 520 20t440-30v130H0z"/>
    </svg>
    <img src="data:image/svg+xml;base64,${icon}" alt="">`);
  const png = await page.screenshot();
  await page.close();
  return png;
}

/** The page with a verdict on that photo. */
async function shoot(
  browser: Browser,
  url: string,
  photo: Buffer,
  viewport: typeof WIDE,
  colorScheme: Scheme,
) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await page.setInputFiles('input[type=file]', { name: 'husky.png', mimeType: 'image/png', buffer: photo });
  await page.locator('.number').waitFor();
  await settled(page);
  const png = await page.screenshot({ fullPage: true });
  await context.close();
  return png;
}

/** Waits until the preview is decoded and the fonts are there. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all(Array.from(document.images, (image) => image.decode()));
  });
}

/** Both pictures side by side in one. */
async function sideBySide(browser: Browser, pictures: readonly Buffer[]): Promise<Buffer> {
  const page = await browser.newPage();
  const images = pictures.map((png) => `<img alt="" src="data:image/png;base64,${png.toString('base64')}">`);
  await page.setContent(
    `<style>body { margin: 0 } div { display: inline-flex }</style><div>${images.join('')}</div>`,
  );
  await settled(page);
  const png = await page.locator('div').screenshot();
  await page.close();
  return png;
}

async function save(name: string, png: Buffer): Promise<void> {
  const path = `${FOLDER}/${name}`;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(path, png);
  console.log(`${path}: ${Math.ceil((await stat(path)).size / 1000)} kB`);
}

const { values } = parseArgs({ options: { url: { type: 'string', default: 'http://127.0.0.1:8787' } } });
const browser = await launchChromium();
try {
  const photo = await drawPhoto(browser);
  await save('page-wide.png', await shoot(browser, values.url, photo, WIDE, 'light'));
  const narrow = [];
  for (const scheme of ['light', 'dark'] as const) {
    narrow.push(await shoot(browser, values.url, photo, NARROW, scheme));
  }
  await save('page-narrow.png', await sideBySide(browser, narrow));
} finally {
  await browser.close();
}
