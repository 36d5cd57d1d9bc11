import { mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import lock from '../package-lock.json' with { type: 'json' };
import { renderChart } from './chart.ts';
import { insertValues, markedKeys, readDocuments } from './documents.ts';
import { BENCH, ROOT } from './processes.ts';
import type { Report, Section } from './section.ts';

const RESULTS = join(BENCH, 'results');

/** What is measured on; nothing in it identifies the machine. */
export function describeMachine(): string {
  const [cpu] = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const { 'node_modules/workerd': workerd, 'node_modules/onnxruntime-web': ort } = lock.packages;
  return `${cpu?.model.trim()}, ${os.cpus().length} cores, ${memory} GiB, ${os.type()} ${os.arch()}; Node ${process.versions.node}, workerd ${workerd.version}, onnxruntime-web ${ort.version}`;
}

/** Writes a section's results file: a line for each property, and for each object in an array. */
export async function writeResult({ name }: Section, machine: string, result: object): Promise<void> {
  const lines = Object.entries({ machine, ...result }).map(([key, value]) => {
    const isTable = Array.isArray(value) && typeof value[0] === 'object';
    const rows = isTable ? value.map((row) => `  ${JSON.stringify(row)}`).join(',\n') : '';
    return `${JSON.stringify(key)}: ${isTable ? `[\n${rows}\n]` : JSON.stringify(value)}`;
  });
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, `${name}.json`), `{\n${lines.join(',\n')}\n}\n`);
}

/** A section's results file, and the report made from it. @throws {Error} there is none, or it has another schema */
async function readResult({ name, report }: Section): Promise<{ machine: string; report: Report }> {
  const result: unknown = JSON.parse(await readFile(join(RESULTS, `${name}.json`), 'utf8'));
  return { machine: z.looseObject({ machine: z.string() }).parse(result).machine, report: report(result) };
}

/** What documents may insert of these sections: tables by the section's name, figures by `section.figure`. */
async function readValues(sections: readonly Section[]): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const section of sections) {
    const { tables, figures = {} } = (await readResult(section)).report;
    values.set(section.name, tables.join('\n\n'));
    for (const [key, value] of Object.entries(figures)) values.set(`${section.name}.${key}`, value);
  }
  return values;
}

/** Redraws the charts of these sections and updates the documents, from the results files. */
export async function publishResults(sections: readonly Section[]): Promise<void> {
  for (const section of sections) {
    const { machine, report } = await readResult(section);
    for (const [name, chart] of Object.entries(report.charts ?? {}))
      await writeFile(join(RESULTS, `${name}.svg`), await renderChart(chart, machine));
  }
  const values = await readValues(sections);
  for (const [path, text] of await readDocuments()) {
    const updated = insertValues(text, values);
    if (updated !== text) await writeFile(join(ROOT, path), updated);
  }
}

/** What in the documents differs from the results files of all sections; empty: nothing. */
export async function findStaleDocuments(sections: readonly Section[]): Promise<string[]> {
  const values = await readValues(sections);
  return [...(await readDocuments())].flatMap(([path, text]) => [
    ...markedKeys(text)
      .filter((key) => !values.has(key))
      .map((key) => `${path}: no benchmark measures ${key}`),
    ...(insertValues(text, values) === text ? [] : [`${path} is stale: run npm run bench -- --fill`]),
  ]);
}
