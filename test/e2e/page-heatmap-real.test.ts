import { expect, test } from 'vitest';
import { drawPng } from '../pictures/png.ts';
import { cardOf, choose, picture, usePage } from './page-fixture.ts';

const { open } = usePage({ model: 'spots' });

test('the heat map is brightest where the photo has what the model detects', async () => {
  const page = await open();
  await page.getByLabel('Show heat maps').check();
  const spot = (right: boolean, low: boolean) =>
    drawPng(64, 64, (x, y) => (x >= 32 === right && (low ? y >= 48 : y < 16) ? [255, 0, 0] : [0, 0, 0]));
  for (const [right, low, place] of [
    [true, false, 'top right'],
    [false, true, 'bottom left'],
  ] as const) {
    await choose(page, picture(Buffer.from(await spot(right, low)), `${place}.png`));
    const card = cardOf(page, `${place}.png`);
    await card.getByText(`There is strong evidence for “husky” in the ${place}.`).waitFor();
    const brightest = await card.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
        data: [],
      };
      let best = 0;
      for (let at = 0; at < data.length; at += 4) if ((data[at] ?? 0) > (data[best] ?? 0)) best = at;
      return { x: ((best / 4) % canvas.width) / canvas.width, y: best / 4 / canvas.width / canvas.height };
    });
    expect([brightest.x > 0.5, brightest.y > 0.5]).toEqual([right, low]);
  }
});
