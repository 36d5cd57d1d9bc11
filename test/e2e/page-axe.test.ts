import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findViolations } from './axe.ts';
import { BLACK, choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const fixture = usePage();

const STATES: Record<string, (page: Page) => Promise<unknown>> = {
  'the empty page': (page) => page.getByText('Model tiny-brightness').waitFor(),

  async 'one verdict'(page) {
    await choose(page, picture(WHITE));
    await reads(page, 'It is a husky');
  },

  async 'many photos with heat maps, one of them damaged'(page) {
    await page.route('**/api/model', async (route) => {
      const json = await (await route.fetch()).json();
      await route.fulfill({ json: { ...json, heatmap: { rows: 1, columns: 2 } } });
    });
    await page.route('**/api/predict?heatmap=1', async (route) => {
      const json = await (await route.fetch()).json();
      await route.fulfill({ json: { ...json, heatmap: { rows: 1, columns: 2, values: [0, 1] } } });
    });
    await page.reload();
    await page.getByLabel('Show heat maps').check();
    await choose(page, [picture(WHITE, 'a.png'), picture(BLACK, 'b.png'), picture(Buffer.from('x'), 'c.png')]);
    await page.getByRole('heading', { name: '3 photos: 1 husky, 1 not husky, 1 failed' }).waitFor();
  },

  async 'errors and a token that is asked for'(page) {
    await page.route('**/api/predict', (route) =>
      route.fulfill({ status: 401, json: { code: 'unauthorized', detail: 'There was none.' } }),
    );
    await choose(page, [picture(WHITE, 'a.png'), picture(BLACK, 'b.png')]);
    await page.getByRole('heading', { name: '2 photos: 2 failed' }).waitFor();
    await page.getByLabel('Token').fill('wrong');
    await page.getByLabel('Token').press('Enter');
    await page.getByText('The service rejected this token.').waitFor();
  },

  async 'a wait that the service asks for'(page) {
    await page.route('**/api/predict', (route) =>
      route.fulfill({ status: 429, headers: { 'Retry-After': '60' }, json: { code: 'rate_limited' } }),
    );
    await choose(page, [picture(WHITE, 'a.png'), picture(BLACK, 'b.png')]);
    await page.locator('#pause').waitFor();
  },
};

test.for(
  Object.keys(STATES).flatMap((state) => (['light', 'dark'] as const).map((colorScheme) => ({ state, colorScheme }))),
)('axe finds nothing wrong with $state, $colorScheme', async ({ state, colorScheme }) => {
  const page = await fixture.open({ colorScheme, reducedMotion: 'reduce' });
  await STATES[state]?.(page);
  expect(await findViolations(page)).toEqual([]);
});
