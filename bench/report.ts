import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Chart, drawChart } from './chart.ts';
import { type Machine, machineLine } from './machine.ts';
import { BENCH, ROOT } from './processes.ts';

/** What a section has found. */
export interface Findings {
  /** For the results file: everything that was measured. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Markdown: what is printed, and what stands in docs/benchmarks.md. */
  readonly tables: readonly string[];
  readonly charts: Readonly<Record<string, Omit<Chart, 'footer'>>>;
  /** Charts of other kinds: each draws itself as SVG, given what was measured on. */
  readonly drawings?: Readonly<Record<string, (footer: string) => string>>;
}

const RESULTS = join(BENCH, 'results');
const PAGE = join(ROOT, 'docs', 'benchmarks.md');

/** Writes results and charts, and puts the tables where the page wants them. */
export async function save(
  section: string,
  machine: Machine,
  { data, tables, charts, drawings = {} }: Findings,
): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  const content = JSON.stringify({ machine, ...data }, null, 2);
  await writeFile(join(RESULTS, `${section}.json`), `${content}\n`);
  for (const [name, chart] of Object.entries(charts)) {
    await writeFile(join(RESULTS, `${name}.svg`), drawChart({ ...chart, footer: machineLine(machine) }));
  }
  for (const [name, draw] of Object.entries(drawings)) {
    await writeFile(join(RESULTS, `${name}.svg`), draw(machineLine(machine)));
  }
  await fillPage(section, tables.join('\n\n'));
}

/** Replaces what stands between the section's two comments in the page. */
async function fillPage(section: string, content: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8').catch(() => '');
  const [begin, end] = [`<!-- ${section} -->`, `<!-- /${section} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return;
  await writeFile(PAGE, `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`);
}
