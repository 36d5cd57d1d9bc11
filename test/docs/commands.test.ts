import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { codeInProse, documents, type Found, files, shellCode } from './documents.ts';
import { commandsOf } from './markdown.ts';

const scripts: Readonly<Record<string, string>> = packageJson.scripts;

/** Options that a script hands on: `wrangler dev`'s, vitest's and pytest's. */
const HANDED_ON: Readonly<Record<string, readonly string[]>> = {
  start: ['var'],
  test: [],
  python: [],
};

interface Mention {
  readonly script: string;
  /** Names of its options, without their dashes. */
  readonly options: readonly string[];
  readonly at: string;
}

/** The npm scripts that a command line runs. */
function mentionsIn({ text, at }: Found): readonly Mention[] {
  return text.split(/&&|;|\|/).flatMap((command) => {
    const [, script, rest = ''] =
      /\bnpm (?:run )?((?:(?<=run )[\w:-]+)|start|test)\b(.*)/.exec(command) ?? [];
    if (script === undefined) return [];
    const own = rest.slice(rest.indexOf(' -- ') + 1);
    const options = rest.includes(' -- ')
      ? Array.from(own.matchAll(/ --([\w-]+)/g), ([, name = '']) => name)
      : [];
    return [{ script, options, at }];
  });
}

const mentions: readonly Mention[] = [
  ...shellCode.flatMap(({ text, at }) => commandsOf(text).map((line) => ({ text: line, at }))),
  ...codeInProse,
].flatMap(mentionsIn);

/** A program's source with that of all files of the repository that it imports. */
async function sourceOf(path: string, seen = new Set<string>()): Promise<string> {
  if (seen.has(path) || !existsSync(path)) return '';
  seen.add(path);
  const source = await readFile(path, 'utf8');
  const imported = Array.from(source.matchAll(/from '(\.[^']+)'/g), ([, file = '']) =>
    sourceOf(join(dirname(path), file), seen),
  );
  return [source, ...(await Promise.all(imported))].join('\n');
}

/** The options that the program of an npm script asks for, by parseArgs or argparse. */
async function optionsOf(script: string): Promise<ReadonlySet<string>> {
  const program = /\S+\.(?:ts|py)(?= |$)/g;
  const [path = ''] = scripts[script]?.match(program)?.slice(-1) ?? [];
  const source = await sourceOf(path);
  const pattern =
    extname(path) === '.py'
      ? /add_argument\(\s*"--([\w-]+)"/g
      : /'?([\w-]+)'?: \{ type: '(?:string|boolean)'/g;
  return new Set(Array.from(source.matchAll(pattern), ([, name = '']) => name));
}

test('every npm script that a document names is one', () => {
  const unknown = mentions.filter(({ script }) => !(script in scripts));
  expect(unknown.map(({ script, at }) => `${at}: npm run ${script}`)).toEqual([]);
  expect(mentions.length).toBeGreaterThan(30);
});

test('every option that a document gives to one is asked for there', async () => {
  const unknown: string[] = [];
  let checked = 0;
  for (const { script, options, at } of mentions) {
    if (options.length === 0 || script === 'python') continue;
    const known = await optionsOf(script);
    for (const option of options) {
      checked++;
      if (!known.has(option) && !HANDED_ON[script]?.includes(option))
        unknown.push(`${at}: ${script} --${option}`);
    }
  }
  expect(unknown).toEqual([]);
  expect(checked).toBeGreaterThan(15);
});

test('every npm script that the sources, messages and workflows name is one', async () => {
  const unknown: string[] = [];
  for (const path of files) {
    if (!/\.(ts|js|py|toml|ya?ml|html)$|^\.ci\/run$/.test(path) || path.startsWith('test/docs/')) continue;
    for (const [, script = ''] of (await readFile(path, 'utf8')).matchAll(/\bnpm run ([a-z][\w:-]*\w)/g)) {
      if (!(script in scripts)) unknown.push(`${path}: npm run ${script}`);
    }
  }
  expect(unknown).toEqual([]);
});

test('the newest version in the changelog is the package’s', () => {
  const changelog = documents.find(({ path }) => path === 'CHANGELOG.md');
  const headings = changelog?.blocks.filter(({ kind }) => kind === 'heading').map(({ text }) => text) ?? [];
  const versions = headings.filter((text) => /^\d/.test(text));
  expect(versions[0]).toMatch(
    new RegExp(`^${packageJson.version.replaceAll('.', '\\.')} - \\d{4}-\\d\\d-\\d\\d$`),
  );
});
