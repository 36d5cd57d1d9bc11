import { readdir, readFile } from 'node:fs/promises';
import { type Block, parseBlocks, parseCommands } from './markdown.ts';

/** Packages, caches and local state, which are not part of the repository. */
const EXCLUDED = /^(node_modules|__pycache__|\.(?!ci$|github$).*)$/;

export interface Document {
  readonly path: string;
  readonly blocks: readonly Block[];
}

/** A piece of a document, and its place: `docs/api.md:12`. */
export interface Found {
  readonly text: string;
  readonly at: string;
}

/** All files of the repository, as paths from its root with forward slashes. */
async function listFiles(folder = ''): Promise<readonly string[]> {
  const entries = await readdir(folder || '.', { withFileTypes: true });
  const lists = entries
    .filter(({ name }) => !EXCLUDED.test(name))
    .map((entry) => {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      return entry.isDirectory() ? listFiles(path) : [path];
    });
  return (await Promise.all(lists)).flat();
}

export const files = await listFiles();

export const documents: readonly Document[] = await Promise.all(
  files
    .filter((path) => path.endsWith('.md'))
    .map(async (path) => ({ path, blocks: parseBlocks(await readFile(path, 'utf8')) })),
);

/** Code between backticks, and each command of the shell code. */
export const codeSnippets: readonly Found[] = documents.flatMap(({ path, blocks }) =>
  blocks.flatMap(({ kind, language, text, line }) => {
    const inline = Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => code.replaceAll(/\s+/g, ' '));
    const snippets = kind !== 'fence' ? inline : language === 'sh' ? parseCommands(text) : [];
    return snippets.map((code) => ({ text: code, at: `${path}:${line}` }));
  }),
);
