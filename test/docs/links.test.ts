import { stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { type Document, documents } from './documents.ts';

const byPath = new Map(documents.map((document) => [document.path, document]));

/** Where a document's links and pictures lead, addresses on the web apart. */
function targetsOf({ blocks }: Document): readonly { target: string; line: number }[] {
  return blocks
    .filter(({ kind }) => kind !== 'fence')
    .flatMap(({ text, line }) => {
      const prose = text.replaceAll(/`[^`]*`/g, (code) => ' '.repeat(code.length));
      const inline = Array.from(prose.matchAll(/\]\(([^()\s]+)\)/g), ([, target = '']) => target);
      const html = Array.from(prose.matchAll(/ (?:href|src)="([^"]+)"/g), ([, target = '']) => target);
      return [...inline, ...html].map((target) => ({ target, line }));
    })
    .filter(({ target }) => !/^(https?|mailto):/.test(target));
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf({ blocks }: Document): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { kind, text } of blocks) {
    if (kind !== 'heading') continue;
    const bare = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = bare.replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

async function problemOf(from: string, target: string): Promise<string | undefined> {
  const [path = '', anchor] = target.split('#', 2);
  const file = path === '' ? from : normalize(join(dirname(from), decodeURIComponent(path)));
  if (!(await stat(file).catch(() => undefined))) return `${file} does not exist`;
  const document = byPath.get(file);
  if (anchor !== undefined && document && !anchorsOf(document).has(anchor))
    return `${file} has no heading #${anchor}`;
  return undefined;
}

test.for(documents.map((document) => [document.path, document] as const))(
  '%s: every link and picture leads somewhere',
  async ([path, document]) => {
    const problems: string[] = [];
    for (const { target, line } of targetsOf(document)) {
      const problem = await problemOf(path, target);
      if (problem) problems.push(`line ${line}: ${problem}`);
    }
    expect(problems).toEqual([]);
  },
);

test('anchors are made as GitHub makes them', () => {
  const headings = [
    'The `--https` option',
    'What is this?',
    'What is this?',
    'A & B, again',
    '[A link](x.md) here',
  ];
  const blocks = headings.map((text) => ({ kind: 'heading' as const, language: '', text, line: 1 }));
  expect([...anchorsOf({ path: 'x.md', blocks })]).toEqual([
    'the---https-option',
    'what-is-this',
    'what-is-this-1',
    'a--b-again',
    'a-link-here',
  ]);
});

test('there are documents to look at', () => {
  expect(byPath.has('README.md')).toBe(true);
  expect(documents.length).toBeGreaterThan(10);
});
