import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { OPERATIONS, settingsTable, withTable } from '../../scripts/config-table.ts';
import { PROBLEM_CODES, PROBLEMS } from '../../src/api/problems.ts';

test('the table of settings matches the schema; if not, run npm run docs:config', async () => {
  const document = await readFile(OPERATIONS, 'utf8');
  expect(document).toBe(withTable(document, settingsTable()));
});

test('docs/api.md lists every failure with its status', async () => {
  const rows = (await readFile('docs/api.md', 'utf8')).matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm);
  expect(Array.from(rows, ([, code, status]) => [code, Number(status)])).toEqual(
    PROBLEM_CODES.map((code) => [code, PROBLEMS[code].status]),
  );
});
