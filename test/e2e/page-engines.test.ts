/// <reference lib="dom" />
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ENGINES, type Engine, type Tab } from './engines.ts';
import { CUT_OFF, DRAWN_RIGHT, HEIC, type NamedFile, TURNED_UNSEEN } from './page-files.ts';
import { BLACK, WHITE } from './page-fixture.ts';
import { type Front, startFront } from './page-front.ts';

let folder: string;
let front: Front;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-engines-'));
  front = await startFront(inject('sharedService'));
});

afterAll(async () => {
  await front.close();
  await rm(folder, { recursive: true });
});

/** Chooses files on the page. */
async function choose(tab: Tab, ...files: readonly NamedFile[]): Promise<void> {
  const paths = files.map(({ name }) => join(folder, name));
  await Promise.all(files.map(({ bytes }, index) => writeFile(paths[index] ?? '', bytes)));
  await tab.choose(...paths);
}

/** Waits until a function in the page returns the value. */
const until = <T>(tab: Tab, use: () => T, value: Awaited<T>) =>
  expect.poll(() => tab.evaluate(use), { timeout: 20_000 }).toEqual(value);

const tally = () => document.querySelector('#tally')?.textContent;
const names = () => [...document.querySelectorAll('#cards > li:not([hidden]) .name')].map((name) => name.textContent);

/** What the cards say, by the names of their photos. */
const headlines = () =>
  Object.fromEntries(
    [...document.querySelectorAll('.card')].map((card) => [
      card.querySelector('.name')?.textContent,
      card.querySelector('.headline')?.textContent,
    ]),
  );

/** Whether the page sent the file as it is. */
const wasSent = ({ bytes }: NamedFile) => front.sent.some((each) => each.equals(bytes));

const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

/** Returns what to install if a browser other than Chromium is missing. CI must have them all. */
async function findProblem(engine: Engine): Promise<string | undefined> {
  if (engine === 'Chromium' || process.env.CI) return undefined;
  return ENGINES[engine].find().then(
    () => undefined,
    (error: Error) => error.message,
  );
}

for (const engine of ['Chromium', 'Firefox', 'WebKit'] as const) {
  const problem = await findProblem(engine);
  describe.skipIf(problem)(problem ? `${engine}: ${problem}` : engine, () => testEngine(engine));
}

function testEngine(engine: Engine): void {
  let tab: Tab;

  beforeAll(async () => {
    tab = await ENGINES[engine].open({ isDark: true });
  });
  afterAll(() => tab?.close());

  beforeEach(async () => {
    front.sent.splice(0);
    await tab.resize(1024, 768);
    await tab.navigate(front.url);
    await until(tab, () => document.querySelector('#served')?.textContent?.startsWith('Model tiny-brightness'), true);
  });

  afterEach(async () => {
    const origins = await tab.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).origin),
    );
    expect(new Set(origins)).toEqual(new Set([front.url]));
  });

  test('a chosen photo gets its verdict, with the score as a number and as a bar', async () => {
    await choose(tab, { name: 'photo.png', bytes: WHITE });
    await until(tab, headlines, { 'photo.png': 'It is a husky' });
    const [number, width, preview] = await tab.evaluate(() => [
      document.querySelector('.number')?.textContent,
      document.querySelector('.score .fill')?.getBoundingClientRect().width,
      document.querySelector('img.preview')?.getBoundingClientRect().width,
    ]);
    expect(number).toMatch(/\d\d\.\d% husky score/);
    expect(width).toBeGreaterThan(200);
    expect(preview).toBeGreaterThan(50);
  });

  test('many photos are counted, filtered and sorted, and a bad one delays none', async () => {
    await choose(
      tab,
      { name: 'a.png', bytes: WHITE },
      { name: 'b.png', bytes: Buffer.from('no photo at all') },
      { name: 'c.png', bytes: BLACK },
      { name: 'd.png', bytes: WHITE },
    );
    await until(tab, tally, '4 photos: 2 husky, 1 not husky, 1 failed');
    expect(await tab.evaluate(headlines)).toMatchObject({ 'b.png': 'This kind of file is not supported' });
    expect(await tab.evaluate(names)).toEqual(['a.png', 'b.png', 'c.png', 'd.png']);
    await tab.evaluate(() => {
      const order = document.querySelector('select');
      if (order) order.value = 'lowest';
      order?.dispatchEvent(new Event('change'));
    });
    expect(await tab.evaluate(names)).toEqual(['c.png', 'a.png', 'd.png', 'b.png']);
    await tab.evaluate(() => document.querySelector<HTMLButtonElement>('#filters [value="not husky"]')?.click());
    expect(await tab.evaluate(names)).toEqual(['c.png']);
    await tab.evaluate(() => document.querySelector<HTMLButtonElement>('#clear')?.click());
    expect(await tab.evaluate(names)).toEqual([]);
  });

  test('a heat map is laid over the photo and described in words', async () => {
    await choose(tab, { name: 'photo.png', bytes: WHITE });
    await until(tab, headlines, { 'photo.png': 'It is a husky' });
    await tab.evaluate(() => document.querySelector<HTMLInputElement>('#heat-switch')?.click());
    await until(
      tab,
      () => document.querySelector('.heat-words')?.textContent,
      'There is strong evidence for “husky” in the top right. 17% of the photo counts at least half as much.',
    );
    const { boxes, bright, dark } = await tab.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('canvas.heat');
      const lightnessAt = (x: number, y: number) => {
        const pixel = canvas?.getContext('2d')?.getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
        return (pixel?.[0] ?? 0) + (pixel?.[1] ?? 0) + (pixel?.[2] ?? 0);
      };
      const boxes = [canvas, document.querySelector('img.preview')].map((each) => each?.getBoundingClientRect());
      return { boxes, bright: lightnessAt(0.95, 0.1), dark: lightnessAt(0.1, 0.9) };
    });
    expect(boxes[0]).toEqual(boxes[1]);
    expect(bright).toBeGreaterThan(600);
    expect(dark).toBeLessThan(30);
  });

  test('a dark, narrow window fits', async () => {
    await tab.resize(390, 844);
    await until(tab, () => innerWidth, 390);
    await choose(
      tab,
      { name: 'photo.png', bytes: WHITE },
      { name: `${'a-very-long-name-of-a-file-'.repeat(6)}.png`, bytes: Buffer.from('x') },
    );
    await until(tab, tally, '2 photos: 1 husky, 1 failed');
    expect(await tab.evaluate(overflow)).toBe(0);
    const colours = await tab.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color].map((each) => Math.max(...(each.match(/\d+/g) ?? []).slice(0, 3).map(Number)));
    });
    expect(colours[0]).toBeLessThan(60);
    expect(colours[1]).toBeGreaterThan(180);
  });

  test('the page works by keyboard', async () => {
    const focused = () => document.activeElement?.ariaLabel ?? document.activeElement?.textContent;
    await tab.press('Tab', 'Tab', 'Enter');
    await until(tab, () => document.querySelectorAll('.card .number:not([hidden])').length, 1);
    expect(await tab.evaluate(focused)).toBe('Husky');
    await tab.press('Tab', 'Enter');
    await until(tab, () => document.querySelectorAll('.card .number:not([hidden])').length, 2);
    const walk: string[] = [];
    while (walk.at(-1) !== 'Remove Husky.png' && walk.length < 15) {
      await tab.press('Tab');
      walk.push((await tab.evaluate(focused)) ?? '');
    }
    expect(walk[0]).toBe('House');
    expect(walk[1]).toBe('All 2');
    expect(walk.slice(-3)).toEqual(['', 'Remove Cat.png', 'Remove Husky.png']);
    expect(walk).toContain('Remove all');
    await tab.press('Enter');
    expect(await tab.evaluate(names)).toEqual(['Cat.png']);
    expect(await tab.evaluate(focused)).toBe('Remove Cat.png');
  });

  test('a photo that is cut off is damaged, and not scored by what there is of it', async () => {
    await choose(tab, ...CUT_OFF);
    await until(tab, headlines, Object.fromEntries(CUT_OFF.map(({ name }) => [name, 'This photo is damaged'])));
  });

  test('photos whose orientation a browser ignores are sent as they are, others are not', async () => {
    const files = [...TURNED_UNSEEN, ...DRAWN_RIGHT];
    await choose(tab, ...files);
    await until(tab, headlines, Object.fromEntries(files.map(({ name }) => [name, 'It is a husky'])));
    expect(files.filter(wasSent).map(({ name }) => name)).toEqual(TURNED_UNSEEN.map(({ name }) => name));
    const notes = await tab.evaluate(
      () => document.querySelector('#cards')?.textContent?.match(/sent as it is/g)?.length,
    );
    expect(notes).toBe(TURNED_UNSEEN.length);
  });

  test('HEIC that the browser cannot draw is sent as it is, and scored without a preview', async () => {
    const named = { ...HEIC, name: 'named-wrongly.jpg' };
    await choose(tab, HEIC, named);
    const response = await fetch(`${front.url}/api/predict`, { method: 'POST', body: new Uint8Array(HEIC.bytes) });
    const { label } = await response.json();
    const headline = label === 'husky' ? 'It is a husky' : 'Does not look like a husky';
    await until(tab, headlines, { [HEIC.name]: headline, [named.name]: headline });
    expect(front.sent.filter((each) => each.equals(HEIC.bytes)).length).toBe(3);
    await until(
      tab,
      () =>
        Array.from(document.querySelectorAll<HTMLElement>('.photo > :not([hidden])'), (each) => each.innerText.trim()),
      ['Your browser cannot preview this file.', '×', 'Your browser cannot preview this file.', '×'],
    );
    expect(await tab.evaluate(() => document.querySelector('.detail')?.textContent)).toContain('sent as it is');
  });

  if (engine === 'Firefox') {
    test('a browser that returns noise for a canvas sends photos as they are, and has no drawings to try', async () => {
      const tab = await ENGINES.Firefox.open({ resistsFingerprinting: true });
      try {
        await tab.navigate(front.url);
        const file = { name: 'photo.png', bytes: WHITE };
        await choose(tab, file);
        await until(tab, headlines, { 'photo.png': 'It is a husky' });
        expect(wasSent(file)).toBe(true);
        expect(await tab.evaluate(() => document.querySelector<HTMLElement>('#samples')?.hidden)).toBe(true);
      } finally {
        await tab.close();
      }
    });
  }
}
