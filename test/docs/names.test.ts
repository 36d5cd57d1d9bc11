import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { apiDocument } from '../../src/api/document.ts';
import { PROBLEM_CODES, PROBLEMS } from '../../src/api/problems.ts';
import { Settings } from '../../src/config.ts';
import { codeInProse, documents, type Found, files, shellCode } from './documents.ts';

/** Pages and documents of the service, which its OpenAPI document leaves out. */
const PAGES = ['/', '/docs', '/docs/model', '/openapi.json'];
/** What is no address, but looks like one. */
const NO_ENDPOINTS = ['/proc'];
/** Words in capitals that are no settings: methods, and what stands for a value in a command. */
const NO_SETTINGS = ['OPTIONS', 'DELETE', 'FOLDER'];

/** What commands make, or whoever follows a document. */
const MADE = /^(\.keys|\.venv|model\/shapes|model\/\.cache|model\/release\/model\.sig)(\/|$)/;

const api = apiDocument({
  origin: 'https://husky.example',
  token: true,
  rateLimit: '"burst";q=1;w=10',
  maxPhotos: 1,
  maxBytes: 1,
  maxBytesHuskyai: 1,
});

const folders = new Set(files.flatMap((path) => ancestorsOf(path)));
const names = new Set(files.map((path) => basename(path)));

function ancestorsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [parent, ...ancestorsOf(parent)];
}

/** `a/{b,c}` as `a/b` and `a/c`. */
function expanded(pattern: string): readonly string[] {
  const [all, choices] = /\{([^}]*)\}/.exec(pattern) ?? [];
  if (all === undefined || choices === undefined) return [pattern];
  return choices.split(',').flatMap((choice) => expanded(pattern.replace(all, choice)));
}

/** Whether there is such a file or folder, seen from the root or from one of these folders. */
function exists(path: string, from: readonly string[]): boolean {
  const bare = path.replace(/\/$/, '');
  return ['.', ...from].some((folder) => {
    const whole = join(folder, bare);
    if (!whole.includes('*')) return files.includes(whole) || folders.has(whole);
    const pattern = new RegExp(
      `^${whole
        .replaceAll('.', '\\.')
        .replaceAll('**', '.+')
        .replaceAll(/(?<!\.)\*/g, '[^/]*')}$`,
    );
    return files.some((file) => pattern.test(file));
  });
}

/** Paths in prose that begin with a folder of this repository. */
const paths = codeInProse.filter(({ text }) => {
  const [first, second] = text.split('/', 2);
  return second !== undefined && folders.has(first ?? '') && /^[\w./{},*-]+$/.test(text);
});

test('every path of the repository that a document names exists', () => {
  const missing = paths.flatMap(({ text, at }) =>
    expanded(text)
      .filter((path) => !MADE.test(path) && !exists(path, [dirname(at)]))
      .map((path) => `${at}: ${path}`),
  );
  expect(missing).toEqual([]);
  expect(paths.length).toBeGreaterThan(50);
});

test('every source that a document names without its folder exists', () => {
  const sources = codeInProse.filter(({ text }) => /^[\w-]+(\.test)?\.(ts|js|py|css|toml)$/.test(text));
  const missing = sources.filter(({ text }) => !names.has(text));
  expect(missing.map(({ text, at }) => `${at}: ${text}`)).toEqual([]);
  expect(sources.length).toBeGreaterThan(5);
});

test('every endpoint that a document names is the API’s, or a page', () => {
  const known = new Set(
    [...Object.keys(api.paths ?? {}), ...PAGES].map((path) => path.replace(/(?<=.)\/$/, '')),
  );
  const inProse = codeInProse.map(({ text, at }) => ({
    at,
    text: /^(?:(?:GET|POST|HEAD|OPTIONS|PUT|DELETE) )?(\/[a-z][\w./-]*)(?:\?.*)?$/.exec(text)?.[1] ?? '',
  }));
  const inCode = shellCode.flatMap(({ text, at }) =>
    Array.from(text.matchAll(/https?:\/\/localhost:\d+(\/[\w./-]*)/g), ([, path = '']) => ({
      at,
      text: path,
    })),
  );
  const asked = [...inProse, ...inCode].filter(({ text }) => text !== '' && !NO_ENDPOINTS.includes(text));
  const unknown = asked.filter(({ text }) => !known.has(text.replace(/(?<=.)\/$/, '')));
  expect(unknown.map(({ text, at }) => `${at}: ${text}`)).toEqual([]);
  expect(asked.length).toBeGreaterThan(25);
});

test('every method that a document gives for an endpoint is taken there', () => {
  const asked = codeInProse.flatMap(({ text, at }) => {
    const [, method = '', path = ''] =
      /^(GET|POST|HEAD|PUT|DELETE) (\/(?:api|huskyai)\S*?)(?:\?.*)?$/.exec(text) ?? [];
    return path === '' ? [] : [{ at, method, path }];
  });
  const refused = asked.filter(({ method, path }) => {
    const item: object = Object.entries(api.paths ?? {}).find(([each]) => each === path)?.[1] ?? {};
    return !(method.toLowerCase() in item);
  });
  expect(refused.map(({ at, method, path }) => `${at}: ${method} ${path}`)).toEqual([]);
});

test('every setting that a document names is one, or another variable that the sources read', async () => {
  const sources = files.filter(
    (path) => /\.(ts|js|py|toml|ya?ml)$/.test(path) && !path.startsWith('test/docs/'),
  );
  const read = (await Promise.all(sources.map((path) => readFile(path, 'utf8')))).join('\n');
  const isKnown = (name: string) =>
    name in Settings.shape ||
    new RegExp(`\\b(name = "|env\\.|environ\\W+|secrets\\.)${name}\\b|'${name}'|\\$${name}\\b`).test(read);
  const inWords: readonly Found[] = documents.flatMap(({ path, blocks }) =>
    blocks.flatMap(({ text, line }) =>
      Array.from(text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g), ([name]) => ({
        text: name,
        at: `${path}:${line}`,
      })),
    ),
  );
  // One word in capitals is a setting where it is code, and given a value or called a setting.
  const single = codeInProse.flatMap(({ text, at }) => {
    const name = /^([A-Z]{5,})(?: = .*)?$/.exec(text)?.[1];
    return name === undefined || NO_SETTINGS.includes(name) ? [] : [{ text: name, at }];
  });
  const unknown = [...inWords, ...single].filter(({ text }) => !isKnown(text));
  expect(unknown.map(({ text, at }) => `${at}: ${text}`)).toEqual([]);
  expect(inWords.length).toBeGreaterThan(40);
});

test('docs/api.md lists every failure with its status, and no other', async () => {
  const text = await readFile('docs/api.md', 'utf8');
  const table = text.slice(text.indexOf('## Failures'));
  const rows = Array.from(table.matchAll(/^\| `(\w+)` \| (\d+) \|/gm), ([, code, status]) => [
    code,
    Number(status),
  ]);
  expect(rows).toEqual(PROBLEM_CODES.map((code) => [code, PROBLEMS[code].status]));
});
