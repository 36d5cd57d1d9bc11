import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Block, blocksOf } from './markdown.ts';

/** What the repository does not consist of: packages, caches, local state. */
const LEFT_OUT = /^(node_modules|__pycache__|\..*)$/;
/** Folders with a dot that are part of it. */
const KEPT = ['.ci', '.github'];

/** A piece of a document, and where it stands: `docs/api.md:12`. */
export interface Found {
  readonly text: string;
  readonly at: string;
}

export interface Document {
  readonly path: string;
  readonly blocks: readonly Block[];
}

/** All files of the repository, by their paths from its root. */
export async function filesIn(folder = '.'): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = entries
    .filter(({ name }) => !LEFT_OUT.test(name) || KEPT.includes(name))
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    });
  return (await Promise.all(lists)).flat();
}

export const files = await filesIn();

/** Every Markdown file of the repository. */
export const documents: readonly Document[] = await Promise.all(
  files
    .filter((path) => path.endsWith('.md'))
    .map(async (path) => ({ path, blocks: blocksOf(await readFile(path, 'utf8')) })),
);

/** What stands between backticks in the prose of all documents. */
export const codeInProse: readonly Found[] = documents.flatMap(({ path, blocks }) =>
  blocks
    .filter(({ kind }) => kind !== 'fence')
    .flatMap(({ text, line }) =>
      Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => ({
        text: code.replaceAll(/\s*\n\s*/g, ' '),
        at: `${path}:${line}`,
      })),
    ),
);

/** The code of all documents that is meant for a shell. */
export const shellCode: readonly Found[] = documents.flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language }) => language === 'sh')
    .map(({ text, line }) => ({ text, at: `${path}:${line}` })),
);
