import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { OPERATIONS, settingsTable, withTable } from '../../scripts/config-table.ts';

test('the table of settings is what the schema says: if not, npm run docs:config', async () => {
  const document = await readFile(OPERATIONS, 'utf8');
  expect(document).toBe(withTable(document, settingsTable()));
});
