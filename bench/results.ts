import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { renderChart } from './chart.ts';
import { insertValues, markedKeys, readDocuments } from './documents.ts';
import { Machine, machineLine } from './machine.ts';
import { BENCH, ROOT } from './processes.ts';
import type { Report, Section } from './section.ts';

const RESULTS = join(BENCH, 'results');

const pathOf = (name: string) => join(RESULTS, `${name}.json`);

/** Writes a section's results file. */
export async function writeResult({ name }: Section, machine: Machine, result: object): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(pathOf(name), compactJson({ machine, ...result }));
}

/** A section's results file and the report made from it. @throws {Error} there is none, or it does not match the schema */
export async function readResult(section: Section): Promise<{ machine: Machine; report: Report }> {
  const result: unknown = JSON.parse(await readFile(pathOf(section.name), 'utf8'));
  const { machine } = z.looseObject({ machine: Machine }).parse(result);
  return { machine, report: section.report(result) };
}

/** What documents may insert of these sections: tables by the section's name, figures by `section.figure`. */
export async function readValues(sections: readonly Section[]): Promise<Map<string, string>> {
  const values = await Promise.all(
    sections.map(async (section): Promise<[string, string][]> => {
      const { tables, figures } = (await readResult(section)).report;
      const named = Object.entries(figures).map(([key, value]): [string, string] => [
        `${section.name}.${key}`,
        value,
      ]);
      return [[section.name, tables.join('\n\n')], ...named];
    }),
  );
  return new Map(values.flat());
}

/** Redraws the charts of these sections and updates the documents, from the results files. */
export async function publishResults(sections: readonly Section[]): Promise<void> {
  for (const section of sections) {
    const { machine, report } = await readResult(section);
    for (const [name, chart] of Object.entries(report.charts)) {
      await writeFile(join(RESULTS, `${name}.svg`), await renderChart(chart, machineLine(machine)));
    }
  }
  const values = await readValues(sections);
  for (const [path, text] of await readDocuments()) {
    const updated = insertValues(text, values);
    if (updated !== text) await writeFile(join(ROOT, path), updated);
  }
}

/** What in the documents differs from the results files; empty: nothing. @param sections all of them */
export async function findStaleDocuments(sections: readonly Section[]): Promise<string[]> {
  const values = await readValues(sections);
  return [...(await readDocuments())].flatMap(([path, text]) => [
    ...markedKeys(text)
      .filter((key) => !values.has(key))
      .map((key) => `${path}: no benchmark measures ${key}`),
    ...(insertValues(text, values) === text ? [] : [`${path} is stale: run npm run bench -- --fill`]),
  ]);
}

/** JSON with one line for each property, and for each object of an array. */
function compactJson(result: object): string {
  const properties = Object.entries(result).map(([key, value]: [string, unknown]) => {
    const isTable = Array.isArray(value) && typeof value[0] === 'object';
    const lines = isTable
      ? `[\n${value.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]`
      : JSON.stringify(value);
    return `${JSON.stringify(key)}: ${lines}`;
  });
  return `{\n${properties.join(',\n')}\n}\n`;
}
