import { describe, expect, test } from 'vitest';
import { drawPng, solidPng } from '../pictures/png.ts';
import { cardOf, choose, picture, reads, usePage } from './page-fixture.ts';
import { LONGEST } from './page-models.ts';
import { horizontalOverflow } from './page-visit.ts';

const solid = async (...rgb: [number, number, number]) => Buffer.from(await solidPng(rgb, 64));

describe('many labels', () => {
  const fixture = usePage({ model: 'many' });

  test('the five most probable ones have bars, and the others follow on request', async () => {
    const page = await fixture.open();
    await page.getByRole('heading', { name: 'What is in the photo?' }).waitFor();
    await choose(page, picture(await solid(130, 0, 0)));
    await reads(page, 'Kind 30 of red');
    const rows = cardOf(page).getByRole('listitem');
    expect(await rows.count()).toBe(5);
    const more = cardOf(page).getByText('55 more labels');
    await more.focus();
    await page.keyboard.press('Enter');
    await rows.nth(59).waitFor();
    expect(await rows.count()).toBe(60);
    expect(new Set(await rows.locator('> :first-child').allTextContents()).size).toBe(60);
    await page.keyboard.press('Enter');
    await rows.nth(59).waitFor({ state: 'hidden' });
  });

  test.each([320, 1280])('a label of 200 letters fits a window of %i pixels', async (width) => {
    const page = await fixture.open({ viewport: { width, height: 800 } });
    await choose(page, picture(await solid(255, 0, 0), 'a.png'));
    await reads(page, LONGEST.charAt(0).toUpperCase() + LONGEST.slice(1), 'a.png');
    expect(await horizontalOverflow(page)).toBe(0);
    await choose(page, [picture(await solid(0, 0, 0), 'b.png'), picture(await solid(255, 0, 0), 'c.png')]);
    await page.getByRole('heading', { name: /^3 photos: 2 the reddest/ }).waitFor();
    expect(await horizontalOverflow(page)).toBe(0);
    // Nothing of a card lies beyond its edges.
    const beyond = await page.getByRole('article').evaluateAll((cards) =>
      cards.flatMap((card) => {
        const { left, right } = card.getBoundingClientRect();
        return [...card.querySelectorAll('.headline, .number, .scores li')].filter((part) => {
          const box = part.getBoundingClientRect();
          return box.width > 0 && (box.left < left - 1 || box.right > right + 1);
        });
      }),
    );
    expect(beyond).toEqual([]);
  });
});

describe('independent labels', () => {
  const fixture = usePage({ model: 'independent' });

  test('each has its own bar and the threshold, and the headline names those that apply', async () => {
    const page = await fixture.open();
    await choose(page, picture(await solid(255, 200, 0)));
    expect(await reads(page, 'Red and green')).toMatch(/\d% red score/);
    const rows = cardOf(page).getByRole('listitem');
    expect(await rows.locator('> :first-child').allTextContents()).toEqual(['red', 'green', 'blue sky']);
    expect(await rows.locator('.threshold').count()).toBe(3);
    const fills = await rows
      .locator('.fill')
      .evaluateAll((all) => all.map((each) => getComputedStyle(each).backgroundColor));
    expect(fills[0]).toBe(fills[1]);
    expect(fills[2]).not.toBe(fills[0]);
    await page
      .locator('#news')
      .getByText(/Red and green, .*red score/)
      .waitFor({ state: 'attached' });
  });

  test('no label may apply', async () => {
    const page = await fixture.open();
    await choose(page, [picture(await solid(20, 20, 10), 'a.png'), picture(await solid(255, 255, 255), 'b.png')]);
    await reads(page, 'None of its labels applies', 'a.png');
    await reads(page, 'Red, green and blue sky', 'b.png');
    await page.getByRole('heading', { name: '2 photos: 1 no label, 1 red' }).waitFor();
  });
});

describe('a model that crops photos', () => {
  const fixture = usePage({ model: 'fitted' });

  test('gets the same picture from the page as from the file, and its heat map lies over the part that it sees', async () => {
    const page = await fixture.open();
    // Red in the middle of a wide photo; a square crop has nothing else.
    const wide = Buffer.from(await drawPng(1600, 800, (x) => (x >= 400 && x < 1200 ? [255, 0, 0] : [0, 0, 255])));
    const response = await fetch(`${fixture.url}/api/predict`, { method: 'POST', body: new Uint8Array(wide) });
    expect(await response.json()).toMatchObject({ label: 'husky', score: expect.closeTo(0.999955, 4) });
    await page.getByLabel('Show heat maps').check();
    await choose(page, picture(wide));
    expect(await reads(page, 'It is a husky')).toContain('> 99.9% husky score');
    const edges = (selector: string) =>
      cardOf(page)
        .locator(selector)
        .evaluate((each) => {
          const { left, right, top, bottom } = each.getBoundingClientRect();
          return { left, right, top, bottom };
        });
    await cardOf(page).locator('.heat').waitFor();
    const [photo, heat] = [await edges('.preview'), await edges('.heat')];
    const width = photo.right - photo.left;
    expect(heat.left - photo.left).toBeCloseTo(width / 4, 0);
    expect(photo.right - heat.right).toBeCloseTo(width / 4, 0);
    expect(heat.top).toBeCloseTo(photo.top, 0);
    expect(heat.bottom).toBeCloseTo(photo.bottom, 0);
  });
});
