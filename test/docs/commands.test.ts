import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { codeSnippets, files } from './documents.ts';

const NPM_SCRIPT = /\bnpm run ([a-z][\w:-]*\w)/g;
/** Options that a script passes on: `npm start` to `wrangler dev`. */
const PASSED_ON = ['var'];
/** Paths that a command or a reader of the documents creates. */
const CREATED = /^(\.keys|\.venv|model\/shapes|model\/\.cache|model\/release\/model\.sig|bench\/pictures)(\/|$)/;

/** Sources, by path. */
let sources: ReadonlyMap<string, string>;

beforeAll(async () => {
  const paths = files.filter((path) => /\.(ts|js|py|toml|ya?ml|html)$|^\.ci\/run$/.test(path));
  sources = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)));
});

test('every npm script that a document, a source or a workflow names exists', () => {
  const texts = [...codeSnippets, ...Array.from(sources, ([at, text]) => ({ at, text }))];
  const mentions = texts.flatMap(({ text, at }) =>
    Array.from(text.matchAll(NPM_SCRIPT), ([, script = '']) => ({ script, at })),
  );
  const unknown = mentions.filter(({ script }) => !(script in packageJson.scripts));
  expect(unknown).toEqual([]);
  expect(mentions.length).toBeGreaterThan(30);
});

test('every option that a document passes to an npm script exists', () => {
  const defined = [...sources.values()].flatMap((text) =>
    Array.from(
      text.matchAll(/add_argument\(\s*"--([\w-]+)"|'?([\w-]+)'?: \{ type: '(?:string|boolean)'/g),
      ([, python, node]) => python ?? node,
    ),
  );
  const mentions = codeSnippets.flatMap(({ text, at }) =>
    Array.from(text.matchAll(/\bnpm (?:start|run (?!python)\S+) -- (.*)/g), ([, rest = '']) => rest)
      .flatMap((rest) => Array.from(rest.matchAll(/(?<=^| )--([\w-]+)/g), ([, option = '']) => option))
      .map((option) => ({ option, at })),
  );
  expect(mentions.filter(({ option }) => ![...defined, ...PASSED_ON].includes(option))).toEqual([]);
  expect(mentions.length).toBeGreaterThan(15);
});

test('every path of the repository that a document names exists', () => {
  const folders = new Set(files.flatMap((path) => listParents(path)));
  const all = [...files, ...folders];
  const paths = codeSnippets.filter(
    ({ text }) => /^[\w./*{},-]+\/[\w./*{},-]*$/.test(text) && folders.has(text.split('/', 1)[0] ?? ''),
  );
  const missing = paths.filter(({ text, at }) => {
    const bare = text.replace(/\/$/, '');
    const candidates = [bare, posix.join(posix.dirname(at), bare)];
    return !CREATED.test(text) && !all.some((path) => candidates.some((each) => posix.matchesGlob(path, each)));
  });
  expect(missing).toEqual([]);
  expect(paths.length).toBeGreaterThan(50);
});

function listParents(path: string): readonly string[] {
  const parent = posix.dirname(path);
  return parent === '.' ? [] : [parent, ...listParents(parent)];
}
