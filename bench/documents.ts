import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './processes.ts';

/** What the benchmarks insert: `<!-- bench cold.isolate-ms -->455<!-- / -->`, or a section's tables under its name. */
const MARKER = /<!-- bench ([a-z0-9.-]+) -->(.*?)<!-- \/ -->/gs;

/** The documents that quote results: README.md and docs/*.md, by their paths from the root. */
export async function readDocuments(): Promise<Map<string, string>> {
  const names = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
  const paths = ['README.md', ...names.map((name) => `docs/${name}`)];
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(ROOT, path), 'utf8')] as const)),
  );
}

/** The document with these values at their markers; a marker without a value stays as it is. */
export function insertValues(document: string, values: ReadonlyMap<string, string>): string {
  return document.replace(MARKER, (whole, key: string) => {
    const value = values.get(key);
    if (value === undefined) return whole;
    return `<!-- bench ${key} -->${value.includes('\n') ? `\n\n${value}\n\n` : value}<!-- / -->`;
  });
}

/** The keys of the document's markers. */
export const markedKeys = (document: string): string[] => Array.from(document.matchAll(MARKER), ([, key = '']) => key);
