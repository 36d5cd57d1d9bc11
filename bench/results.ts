import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { drawChart } from './chart.ts';
import { type Machine, machineLine } from './machine.ts';
import { type Page, readPages, withFigures, withRegion } from './pages.ts';
import { REPORTS, type SectionName } from './reports/index.ts';
import { modelFigures } from './reports/model.ts';
import type { Report } from './reports/report.ts';

export const RESULTS = join(import.meta.dirname, 'results');
const ROOT = join(import.meta.dirname, '..');

/** The page that has the tables. */
export const PAGE = 'docs/benchmarks.md';

const Measured = z.looseObject({
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memoryGiB: z.number(),
    system: z.string(),
    versions: z.record(z.string(), z.string()),
  }),
});

/** A section's results file, read. */
export interface Results {
  readonly report: Report;
  /** SVG documents by name: `<name>.svg` lies beside the results file. */
  readonly drawings: ReadonlyMap<string, string>;
}

/** @throws {Error} there is none, or it is not one that this section writes */
export async function readResults(section: SectionName): Promise<Results> {
  return interpret(section, JSON.parse(await readFile(join(RESULTS, `${section}.json`), 'utf8')));
}

function interpret(section: SectionName, results: unknown): Results {
  const { machine } = Measured.parse(results);
  const footer = machineLine(machine);
  const report = REPORTS[section](results);
  const charts = Object.entries(report.charts).map(([name, chart]): [string, string] => [
    name,
    drawChart({ ...chart, footer }),
  ]);
  const drawings = Object.entries(report.drawings ?? {}).map(([name, draw]): [string, string] => [
    name,
    draw(footer),
  ]);
  return { report, drawings: new Map([...charts, ...drawings]) };
}

/** Writes results and charts, and fills tables and figures in where the pages want them. */
export async function saveResults(section: SectionName, machine: Machine, data: object): Promise<Results> {
  await mkdir(RESULTS, { recursive: true });
  const content = JSON.stringify({ machine, ...data }, null, 2);
  await writeFile(join(RESULTS, `${section}.json`), `${content}\n`);
  return fillFromResults(section);
}

/** Makes charts, tables and figures anew from what was measured before. */
export async function fillFromResults(section: SectionName): Promise<Results> {
  const results = await readResults(section);
  for (const [name, svg] of results.drawings) await writeFile(join(RESULTS, `${name}.svg`), svg);
  await fillPages(section, results.report);
  return results;
}

/** The report of results that are kept nowhere. */
export function reportOf(section: SectionName, data: object): Report {
  return REPORTS[section](data);
}

/** The figures of a report by their full names. */
export function namedFigures(section: string, figures: Report['figures']): [string, string][] {
  return Object.entries(figures).map(([name, figure]) => [`${section}.${name}`, figure]);
}

/** As the page should be after this section. */
function filled({ path, text }: Page, section: string, { tables, figures }: Report): string {
  const tabled = path === PAGE ? withRegion(text, section, tables.join('\n\n')) : text;
  return withFigures(tabled, new Map([...namedFigures(section, figures)]));
}

async function fillPages(section: SectionName, report: Report): Promise<void> {
  const known = new Map(namedFigures('model', await modelFigures()));
  for (const page of await readPages()) {
    const text = withFigures(filled(page, section, report), known);
    if (text !== page.text) await writeFile(join(ROOT, page.path), text);
  }
}
