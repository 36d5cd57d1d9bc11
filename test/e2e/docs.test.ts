import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { PROBLEM_CODES, PROBLEMS } from '../../src/api/problems.ts';

test('docs/api.md lists every failure with its status, and no other', async () => {
  const text = await readFile('docs/api.md', 'utf8');
  const table = text.slice(text.indexOf('## Failures'));
  const rows = Array.from(table.matchAll(/^\| `(\w+)` \| (\d+) \|/gm), ([, code, status]) => [
    code,
    Number(status),
  ]);
  expect(rows).toEqual(PROBLEM_CODES.map((code) => [code, PROBLEMS[code].status]));
});

test('every setting of the gate that the documents name is a setting', async () => {
  const source = await readFile('src/config.ts', 'utf8');
  for (const file of ['docs/api.md', 'docs/privacy.md', 'docs/threat-model.md']) {
    const text = await readFile(file, 'utf8');
    for (const [name] of text.matchAll(/\b[A-Z]+(_[A-Z]+)+\b/g))
      expect(source, `${name} in ${file}`).toContain(name);
  }
});
