import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** A page of the documentation whose figures come from results files. */
export interface Page {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** README.md and docs/*.md, as they are now. */
export async function readPages(): Promise<Page[]> {
  const names = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).sort();
  const paths = ['README.md', ...names.map((name) => `docs/${name}`)];
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(ROOT, path), 'utf8') })));
}

/** `<!-- figure cold.ratio -->1.01<!-- / -->`: the figure `ratio` of the section `cold`. */
const FIGURE = /<!-- figure ([a-z0-9-]+\.[a-z0-9-]+) -->(.*?)<!-- \/ -->/gs;

/** The page with these figures, by their full names, where it quotes them. */
export function withFigures(text: string, figures: ReadonlyMap<string, string>): string {
  return text.replace(FIGURE, (mark: string, name: string) => {
    const figure = figures.get(name);
    return figure === undefined ? mark : `<!-- figure ${name} -->${figure}<!-- / -->`;
  });
}

/** The figures that a page quotes, and what it says they are. */
export function quotedFigures(text: string): { readonly name: string; readonly quoted: string }[] {
  return [...text.matchAll(FIGURE)].map(([, name = '', quoted = '']) => ({ name, quoted }));
}

/** What stands between `<!-- name -->` and `<!-- /name -->`; undefined where the page has no such place. */
export function regionOf(text: string, name: string): string | undefined {
  const [begin, end] = marksOf(name);
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  return from < 0 || to < from ? undefined : text.slice(from + begin.length, to).trim();
}

/** The page with other content there. */
export function withRegion(text: string, name: string, content: string): string {
  if (regionOf(text, name) === undefined) return text;
  const [begin, end] = marksOf(name);
  return `${text.slice(0, text.indexOf(begin))}${begin}\n\n${content}\n\n${text.slice(text.indexOf(end))}`;
}

const marksOf = (name: string) => [`<!-- ${name} -->`, `<!-- /${name} -->`] as const;

/** The page without its code, addresses and whatever the benchmarks have filled in: what its authors have written. */
export function proseOf(text: string): string {
  return text
    .replace(/^```.*?^```/gms, '')
    .replace(/<!-- ([a-z]+) -->.*?<!-- \/\1 -->/gs, '')
    .replace(FIGURE, '')
    .replace(/`[^`]*`/g, '')
    .replace(/\]\([^)]*\)/g, ']');
}
