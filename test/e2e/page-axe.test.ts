import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { BLACK, choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

const fixture = usePage('brightness');
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong, best practices included: rule and place of each. */
async function violations(page: Page): Promise<string[]> {
  // By the browser's tools and not as a script of the page, which its policy would not run.
  await page.evaluate(axe);
  const { violations: found, passes }: AxeResults = await page.evaluate('axe.run()');
  expect(passes.length).toBeGreaterThan(10);
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}

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
    await choose(page, [
      picture(WHITE, 'a.png'),
      picture(BLACK, 'b.png'),
      picture(Buffer.from('x'), 'c.png'),
    ]);
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
  Object.keys(STATES).flatMap((state) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ state, colorScheme })),
  ),
)('axe finds nothing wrong with $state, $colorScheme', async ({ state, colorScheme }) => {
  const page = await fixture.open({ colorScheme, reducedMotion: 'reduce' });
  await STATES[state]?.(page);
  expect(await violations(page)).toEqual([]);
});

test.for(['light', 'dark'] as const)(
  'nor with the documents and the answer without scripts, %s',
  async (colorScheme) => {
    const page = await fixture.open({ colorScheme }, '/docs');
    expect(await violations(page)).toEqual([]);
    await page.goto(`${fixture.worker.url}/docs/model`);
    expect(await violations(page)).toEqual([]);

    const answers = await fixture.open({ colorScheme, javaScriptEnabled: false });
    for (const files of [[picture(WHITE)], [picture(WHITE), picture(Buffer.from('x'))]]) {
      await answers.goto(fixture.worker.url);
      await answers.locator('#file').setInputFiles(files);
      await answers.getByRole('button', { name: 'Is it a husky?' }).click();
      await answers.waitForURL('**/api/predict');
      await page.setContent(await answers.content());
      await page.evaluate(
        `for (const each of document.querySelectorAll('link')) each.href = each.getAttribute('href')`,
      );
      expect(await violations(page)).toEqual([]);
    }
  },
);
