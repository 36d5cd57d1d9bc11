import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { BLACK, cardOf, choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const { open } = usePage();

const MAP = { rows: 2, columns: 3, values: [0, 0, 1, 0, 0, 0] };

/** Adds heat maps to the answers of a service whose model has none. Returns the requests. */
async function offerHeatmaps(page: Page, heatmap: typeof MAP | null = MAP): Promise<string[]> {
  const asked: string[] = [];
  await page.route('**/api/model', async (route) => {
    const json = await (await route.fetch()).json();
    await route.fulfill({ json: { ...json, heatmap: { rows: 2, columns: 3 } } });
  });
  await page.route('**/api/predict*', async (route) => {
    const { search } = new URL(route.request().url());
    asked.push(search);
    const response = await route.fetch();
    if (search !== '?heatmap=1') return route.fulfill({ response });
    return route.fulfill({ json: { ...(await response.json()), heatmap } });
  });
  await page.reload();
  return asked;
}

const heatSwitch = (page: Page) => page.getByLabel('Show heat maps');

/** Red, green, blue and alpha of the map at a position, each 0 to 255. */
const colourAt = (page: Page, x: number, y: number) =>
  page
    .locator('canvas.heat')
    .first()
    .evaluate(
      (canvas: HTMLCanvasElement, [across, down]) => [
        ...(canvas.getContext('2d')?.getImageData(across * canvas.width, down * canvas.height, 1, 1).data ?? []),
      ],
      [x, y] as const,
    );

test('without a heat map in the model there is no switch', async () => {
  const page = await open();
  await page.getByText('Model tiny-brightness').waitFor();
  expect(await heatSwitch(page).isVisible()).toBe(false);
});

test('a map is requested only on demand, overlaid on the photo and described in words', async () => {
  const page = await open();
  const asked = await offerHeatmaps(page);
  await choose(page, picture(WHITE, 'a.png'));
  await reads(page, 'It is a husky', 'a.png');
  expect(asked).toEqual(['']);
  expect(await page.locator('canvas.heat').isVisible()).toBe(false);

  await heatSwitch(page).check();
  const words = cardOf(page, 'a.png').getByText(
    'There is strong evidence for “husky” in the top right. 17% of the photo counts at least half as much.',
  );
  await words.waitFor();
  expect(asked).toEqual(['', '?heatmap=1']);
  const [map, photo] = await Promise.all(
    ['canvas.heat', '.preview'].map((selector) => page.locator(selector).boundingBox()),
  );
  expect(map).toEqual(photo);
  await page.getByText('strong', { exact: true }).waitFor();

  const [bright, dark, between] = [
    await colourAt(page, 0.95, 0.1),
    await colourAt(page, 0.1, 0.9),
    await colourAt(page, 0.67, 0.1),
  ];
  const light = (colour: number[]) => (colour[0] ?? 0) + (colour[1] ?? 0) + (colour[2] ?? 0);
  expect(light(bright)).toBeGreaterThan(600);
  expect(light(dark)).toBeLessThan(20);
  expect(light(between)).toBeGreaterThan(light(dark) + 100);
  expect(light(between)).toBeLessThan(light(bright) - 100);

  await choose(page, picture(BLACK, 'b.png'));
  await reads(page, 'Does not look like a husky', 'b.png');
  expect(asked, 'with the photo itself').toEqual(['', '?heatmap=1', '?heatmap=1']);
  await heatSwitch(page).uncheck();
  expect(await page.locator('canvas.heat').filter({ visible: true }).count()).toBe(0);
  expect(await words.isVisible()).toBe(false);
  await heatSwitch(page).check();
  await words.waitFor();
  expect(asked.length, 'not twice for the same photo').toBe(3);
});

test('only photos in view are requested again', async () => {
  const page = await open({ viewport: { width: 400, height: 700 } });
  const asked = await offerHeatmaps(page);
  await choose(
    page,
    Array.from({ length: 12 }, (_, index) => picture(WHITE, `${index}.png`)),
  );
  await page.getByRole('heading', { name: '12 photos: 12 husky' }).waitFor();
  await heatSwitch(page).check();
  await cardOf(page, '0.png').getByText('strong evidence for').waitFor();
  const again = () => asked.filter((each) => each !== '').length;
  expect(again()).toBeLessThan(5);
  await page.getByRole('button', { name: 'Remove 11.png' }).scrollIntoViewIfNeeded();
  await cardOf(page, '11.png').getByText('strong evidence for').waitFor();
  expect(again()).toBeLessThan(12);
});

test('a photo without a map says so', async () => {
  const page = await open();
  await offerHeatmaps(page, null);
  await choose(page, picture(WHITE));
  await reads(page, 'It is a husky');
  await heatSwitch(page).check();
  await cardOf(page).getByText('There is no heat map for this photo.').waitFor();
});
