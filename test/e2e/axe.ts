import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Runs all of axe's rules, best practices included. Returns each violated rule with the element that violates it. */
export async function findViolations(page: Page): Promise<readonly string[]> {
  // Evaluated by the browser's developer tools, since the page's policy would not run another script.
  await page.evaluate(axe);
  const { violations, passes }: AxeResults = await page.evaluate('axe.run()');
  expect(passes.length).toBeGreaterThan(10);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}
