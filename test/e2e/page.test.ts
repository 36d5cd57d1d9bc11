import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { drawPng } from '../pictures/png.ts';
import { BLACK, cardOf, choose, picture, reads, usePage, WHITE } from './page-fixture.ts';
import { dropFiles, horizontalOverflow, paste } from './page-visit.ts';

const fixture = usePage();
const { open } = fixture;

test('a chosen photo gets its verdict, with the score as a number and as a bar', async () => {
  const page = await open();
  await choose(page, picture(WHITE));
  expect(await reads(page, 'It is a husky')).toMatch(/\d\d\.\d% husky score/);
  await page.getByText('yes above 50%').waitFor();
  const fill = page.locator('.score .fill');
  expect(await fill.evaluate((each) => each.getBoundingClientRect().width)).toBeGreaterThan(300);
  const preview = page.getByAltText('Preview of photo.png');
  expect(await preview.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(64);
});

test('many photos are counted, filtered and sorted, and a bad one delays none', async () => {
  const page = await open();
  await choose(page, [
    picture(WHITE, 'a.png'),
    picture(Buffer.from('no photo at all'), 'b.png'),
    picture(BLACK, 'c.png'),
    picture(WHITE, 'd.png'),
  ]);
  await page.getByRole('heading', { name: '4 photos: 2 husky, 1 not husky, 1 failed' }).waitFor();
  await reads(page, 'This kind of file is not supported', 'b.png');
  const names = () =>
    page.getByRole('article').evaluateAll((cards) => cards.map((card) => card.querySelector('.name')?.textContent));
  expect(await names()).toEqual(['a.png', 'b.png', 'c.png', 'd.png']);

  await page.getByLabel('Sort by').selectOption('lowest score');
  expect(await names()).toEqual(['c.png', 'a.png', 'd.png', 'b.png']);
  await page.getByRole('button', { name: 'Not husky 1' }).click();
  expect(await names()).toEqual(['c.png']);
  await page.getByRole('button', { name: 'Remove c.png' }).click();
  await page.getByRole('heading', { name: '3 photos: 2 husky, 1 failed' }).waitFor();
  expect(await page.getByRole('article').count()).toBe(3);

  await choose(page, picture(BLACK, 'e.png'));
  await page.getByRole('heading', { name: '4 photos: 2 husky, 1 not husky, 1 failed' }).waitFor();
  await page.getByLabel('Sort by').selectOption('newest');
  expect(await names()).toEqual(['e.png', 'a.png', 'b.png', 'd.png']);
  await page.getByRole('button', { name: 'Remove all' }).click();
  expect(await page.getByRole('article').count()).toBe(0);
  await page.getByText('Drop or paste photos').waitFor();
});

test('a hundred photos: at most three uploads at a time, and removed photos keep no preview', async () => {
  const page = await open();
  await page.evaluate(() => {
    const { createObjectURL, revokeObjectURL } = URL;
    const urls = new Set<string>();
    URL.createObjectURL = (blob) => {
      const url = createObjectURL.call(URL, blob);
      urls.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      urls.delete(url);
      revokeObjectURL.call(URL, url);
    };
    Object.assign(globalThis, { urls });
  });
  const held = () => page.evaluate(() => (globalThis as typeof globalThis & { urls: Set<string> }).urls.size);
  let running = 0;
  let most = 0;
  await page.route('**/api/predict', async (route) => {
    most = Math.max(most, ++running);
    const response = await route.fetch();
    running--;
    await route.fulfill({ response });
  });
  await choose(
    page,
    Array.from({ length: 100 }, (_, index) => picture(index % 4 ? BLACK : WHITE, `${index}.png`)),
  );
  await page.getByRole('heading', { name: '100 photos: 75 not husky, 25 husky' }).waitFor({ timeout: 50_000 });
  expect(most).toBe(3);
  expect(await held()).toBe(100);
  await page.getByRole('button', { name: 'Remove all' }).click();
  expect(await held()).toBe(0);
});

test('removing a photo aborts its upload', async () => {
  const page = await open();
  const stopped = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/api/predict'));
  let sent = () => {};
  const isSent = new Promise<void>((resolve) => {
    sent = resolve;
  });
  await page.route('**/api/predict', () => sent(), { times: 1 });
  await choose(page, picture(WHITE));
  await isSent;
  await page.getByRole('button', { name: 'Remove photo.png' }).click();
  expect((await stopped).failure()?.errorText).toBe('net::ERR_ABORTED');
  expect(await page.getByRole('article').count()).toBe(0);
});

test('dropped photos and folders get their verdicts; other files in a folder are ignored', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-drop-'));
  await mkdir(join(folder, 'album', 'inner'), { recursive: true });
  await writeFile(join(folder, 'white.png'), WHITE);
  await writeFile(join(folder, 'album', 'one.png'), WHITE);
  await writeFile(join(folder, 'album', 'inner', 'two.png'), BLACK);
  await writeFile(join(folder, 'album', 'notes.txt'), 'no picture');
  const page = await open();
  await dropFiles(page, [join(folder, 'white.png'), join(folder, 'album')]);
  await page.getByRole('heading', { name: '3 photos: 2 husky, 1 not husky' }).waitFor();
  await page.getByText('1 file was not a picture and was skipped.').waitFor();
  await reads(page, 'Does not look like a husky', 'two.png');
  await rm(folder, { recursive: true });
});

test('a pasted photo gets its verdict, and pasted text a hint', async () => {
  const page = await open();
  await paste(page, 'no photo');
  await page.getByText('That was not a photo').waitFor();
  await paste(page, BLACK);
  await reads(page, 'Does not look like a husky', 'image.png');
  expect(await page.getByText('That was not a photo').count()).toBe(0);
});

test('a sample drawing gets a verdict', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Cat' }).click();
  expect(await reads(page, 'It is a husky', 'Cat.png')).toMatch(/\d% husky score/);
});

test('phones get a camera button', async () => {
  const page = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const camera = page.locator('#camera');
  expect(await camera.getAttribute('capture')).toBe('environment');
  await camera.setInputFiles(picture(WHITE));
  await reads(page, 'It is a husky');
});

test('the page works by keyboard', async () => {
  const page = await open();
  const chosen = [[picture(WHITE, 'a.png')], [picture(BLACK, 'b.png'), picture(WHITE, 'c.png')]];
  page.on('filechooser', (chooser) => chooser.setFiles(chosen.shift() ?? []));
  // Only a document loaded after this reliably reports file choosers.
  await page.reload();
  const focused = () => page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.textContent);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await reads(page, 'It is a husky', 'a.png');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '3 photos: 2 husky, 1 not husky' }).waitFor();

  const walk: string[] = [];
  for (let step = 0; step < 12; step++) {
    await page.keyboard.press('Tab');
    walk.push((await focused()) ?? '');
  }
  expect(walk.slice(0, 6)).toEqual(['Husky', 'Cat', 'House', 'All 3', 'Husky 2', 'Not husky 1']);
  expect(walk.slice(7)).toEqual(['Remove all', 'Remove b.png', 'Remove c.png', 'Remove a.png', 'Copy']);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '2 photos' }).waitFor();
  expect(await focused()).toBe('Remove c.png');
});

test('a screen reader announces a single verdict in full, and the progress of many', async () => {
  const page = await open();
  const news = page.locator('#news');
  await choose(page, picture(WHITE));
  await news.getByText(/^photo\.png: It is a husky, [>\d. ]+% husky score$/).waitFor({ state: 'attached' });
  await choose(page, [picture(BLACK, 'a.png'), picture(BLACK, 'b.png')]);
  await news.getByText('3 photos: 2 not husky, 1 husky', { exact: true }).waitFor({ state: 'attached' });
});

test('a file that is not a photo is refused in plain words, and not sent if the browser knows', async () => {
  const page = await open();
  let sent = 0;
  page.on('request', (request) => {
    if (request.method() === 'POST') sent++;
  });
  await page.getByText('Model tiny-brightness').waitFor();
  const text = Buffer.from('not a photo at all');
  const huge = Buffer.concat([WHITE.subarray(0, 40), Buffer.alloc(1_000_000)]);
  for (const [name, type, bytes, headline, isSent] of [
    ['text.txt', 'text/plain', text, 'This kind of file is not supported', false],
    ['text.png', 'image/png', text, 'This kind of file is not supported', true],
    ['empty.png', 'image/png', Buffer.alloc(0), 'This file is empty', false],
    ['half.png', 'image/png', WHITE.subarray(0, 40), 'This photo is damaged', true],
    ['huge.png', 'image/png', huge, 'This file is too large', true],
  ] as const) {
    sent = 0;
    await choose(page, picture(bytes, name, type));
    await reads(page, headline, name);
    expect(sent, name).toBe(isSent ? 1 : 0);
    expect(await cardOf(page, name).getByRole('button', { name: 'Try again' }).count()).toBe(0);
  }
  await cardOf(page, 'text.txt').getByText('Its type is text/plain. The service takes JPEG, PNG,').waitFor();
  await choose(page, picture(Buffer.from('II*\0\x08\0\0\0\0\0'), 'scan.png', 'image/png'));
  await reads(page, 'This kind of file is not supported', 'scan.png');
  await cardOf(page, 'scan.png').getByText('The service says: This is a TIFF. Accepted formats: JPEG, PNG,').waitFor();
  await choose(page, picture(WHITE));
  await reads(page, 'It is a husky');
});

test('the page accepts, names and sends whatever formats the service reports', async () => {
  const page = await open();
  const hint = page.locator('#formats');
  const accept = () => page.locator('#file').getAttribute('accept');
  await hint.getByText('JPEG, PNG, GIF, WebP, AVIF or HEIC, or anything else your browser can show.').waitFor();
  expect(await accept()).toBe('image/*,image/jpeg,image/png,image/gif,image/webp,image/avif,image/heic,image/heif');

  await page.route('**/api/model', async (route) => {
    const json = await (await route.fetch()).json();
    json.service.formats = [{ name: 'Toy', mediaTypes: ['image/x-toy', 'application/x-toy'] }];
    await route.fulfill({ json });
  });
  await page.reload();
  await hint.getByText('Toy, or anything else your browser can show.').waitFor();
  expect(await accept()).toBe('image/*,image/x-toy,application/x-toy');
  const posted: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posted.push(request.headers()['content-type'] ?? '');
  });
  await choose(page, picture(Buffer.from('toy'), 'a.toy', 'application/x-toy'));
  await reads(page, 'This kind of file is not supported', 'a.toy');
  expect(posted).toEqual(['application/octet-stream']);

  await page.route('**/api/model', (route) => route.abort());
  await page.reload();
  await hint.getByText('All common image formats work.').waitFor();
  expect(await accept()).toBe('image/*');
});

test('a slow upload shows its progress', async () => {
  let state = 1;
  const noise = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state & 255;
  };
  const page = await open();
  const large = Buffer.from(await drawPng(400, 400, () => [noise(), noise(), noise()]));
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 100_000,
  });
  await choose(page, picture(large));
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
  await choose(page, picture(WHITE));
  await reads(page, 'It is a husky');
  expect(await horizontalOverflow(page)).toBe(0);
  await choose(page, picture(Buffer.from('x'), `${'a-very-long-name-of-a-file-'.repeat(8)}.png`));
  await page.getByRole('heading', { name: '2 photos: 1 husky, 1 failed' }).waitFor();
  expect(await horizontalOverflow(page)).toBe(0);
});

test('a right-to-left page is mirrored and fits the window', async () => {
  const page = await open({ viewport: { width: 390, height: 844 } });
  await choose(page, [picture(WHITE, 'a.png'), picture(BLACK, 'b.png')]);
  await page.getByRole('heading', { name: '2 photos: 1 husky, 1 not husky' }).waitFor();
  const edges = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((each) => {
        const inner = each.getBoundingClientRect();
        const outer = each.parentElement?.getBoundingClientRect() ?? inner;
        return inner.left - outer.left < outer.right - inner.right ? 'left' : 'right';
      });
  expect([await edges('.remove'), await edges('.score .fill')]).toEqual(['right', 'left']);
  await page.evaluate(() => {
    document.documentElement.dir = 'rtl';
  });
  expect([await edges('.remove'), await edges('.score .fill')]).toEqual(['left', 'right']);
  expect(await horizontalOverflow(page)).toBe(0);
});

test('the colours follow the system', async () => {
  const lightness = (page: Page) =>
    page.locator('body').evaluate((body) => {
      const [red = 0, green = 0, blue = 0] = getComputedStyle(body).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
      return (red + green + blue) / 3;
    });
  expect(await lightness(await open({ colorScheme: 'light' }))).toBeGreaterThan(200);
  expect(await lightness(await open({ colorScheme: 'dark' }))).toBeLessThan(60);
});

test('reduced motion turns animations off', async () => {
  const moving = (page: Page) =>
    page.evaluate(
      () =>
        [...document.querySelectorAll('*')].filter((each) => {
          const { animationName, transitionDuration } = getComputedStyle(each);
          return animationName !== 'none' || /[1-9]/.test(transitionDuration);
        }).length,
    );
  expect(await moving(await open())).toBeGreaterThan(0);
  expect(await moving(await open({ reducedMotion: 'reduce' }))).toBe(0);
});

test('the page shows the served model and a working command', async () => {
  const page = await open();
  await page
    .getByText(/^Model tiny-brightness · version [0-9a-f]{12} · signed by key [0-9a-f]{12}, verified .*\d/)
    .waitFor();
  expect(await page.locator('#curl').textContent()).toBe(`curl -F file=@photo.jpg ${fixture.url}/api/predict`);
  for (const [name, path] of [
    ['Model card', '/docs/model'],
    ['API', '/docs'],
  ] as const) {
    expect(await page.getByRole('link', { name }).getAttribute('href')).toBe(path);
    expect((await page.request.get(fixture.url + path)).status()).toBe(200);
  }
  expect(await page.getByRole('link', { name: 'Source' }).count()).toBe(0);
});

test('without scripts the form posts photos and the service answers with a page', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.locator('#file').setInputFiles(picture(WHITE));
  await page.getByRole('button', { name: 'Is it a husky?' }).click();
  await page.waitForURL('**/api/predict');
  await page.getByRole('heading', { name: 'Husky', exact: true }).waitFor();

  await page.goto(fixture.url);
  expect(await page.getByText('Try a drawing').isVisible()).toBe(false);
  await page.locator('#file').setInputFiles([picture(WHITE), picture(BLACK)]);
  await page.getByRole('button', { name: 'Is it a husky?' }).click();
  await page.getByRole('heading', { name: /Photo 2: Not husky/ }).waitFor();
});
