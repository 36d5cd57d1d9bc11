import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import GithubSlugger from 'github-slugger';
import { expect, test } from 'vitest';
import { type Document, documents } from './documents.ts';

const byPath = new Map(documents.map((document) => [document.path, document]));

/** The targets of a document's links and pictures, except addresses on the web. */
function listTargets({ blocks }: Document): readonly string[] {
  return blocks
    .filter(({ kind }) => kind !== 'fence')
    .flatMap(({ text }) => {
      const prose = text.replaceAll(/`[^`]*`/g, '');
      return Array.from(prose.matchAll(/\]\(([^()\s]+)\)| (?:href|src)="([^"]+)"/g));
    })
    .map(([, inline, html]) => inline ?? html ?? '')
    .filter((target) => !/^(https?|mailto):/.test(target));
}

/** The anchors of a document's headings, as GitHub generates them. */
function listAnchors({ blocks }: Document): readonly string[] {
  const slugger = new GithubSlugger();
  return blocks
    .filter(({ kind }) => kind === 'heading')
    .map(({ text }) => slugger.slug(text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')));
}

async function isBroken(from: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#', 2);
  const file = path === '' ? from : posix.join(posix.dirname(from), decodeURIComponent(path));
  if (!(await stat(file).catch(() => undefined))) return true;
  const document = byPath.get(file);
  return anchor !== undefined && document !== undefined && !listAnchors(document).includes(anchor);
}

test.for(documents.map((document) => [document.path, document] as const))(
  'every link in %s leads somewhere',
  async ([path, document]) => {
    const broken: string[] = [];
    for (const target of listTargets(document)) if (await isBroken(path, target)) broken.push(target);
    expect(broken).toEqual([]);
  },
);

test('the documents are found', () => {
  expect(byPath.has('README.md')).toBe(true);
  expect(documents.length).toBeGreaterThan(10);
});
