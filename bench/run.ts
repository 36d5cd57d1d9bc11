/**
 * `npm run bench -- [SECTION…] [--photos DIR] [--runs N] [--fill]`
 *
 * Measures, prints tables, and writes results and charts to bench/results and the tables and figures to README.md and docs. The
 * pictures are drawn, so anyone gets the same ones; with `--photos` those of a folder are taken instead, and nothing is written. With `--fill`
 * nothing is measured: charts, tables and figures are made anew from the results files.
 */
import { parseArgs } from 'node:util';
import { describeMachine, machineLine } from './machine.ts';
import { Album } from './pictures.ts';
import { installDependencies } from './processes.ts';
import { Progress } from './progress.ts';
import type { SectionName } from './reports/index.ts';
import { fillFromResults, reportOf, saveResults } from './results.ts';
import type { Options } from './section.ts';
import { measureCold } from './sections/cold.ts';
import { measureCost } from './sections/cost.ts';
import { measureMemory } from './sections/memory.ts';
import { measureModels } from './sections/models.ts';
import { measureScales } from './sections/scales.ts';
import { measureSize } from './sections/size.ts';
import { measureSpeed } from './sections/speed.ts';
import { measureStages } from './sections/stages.ts';

/** In the order in which they run: what other work disturbs most comes first. */
const SECTIONS: Readonly<Record<SectionName, (options: Options) => Promise<object>>> = {
  speed: measureSpeed,
  stages: measureStages,
  cost: measureCost,
  cold: measureCold,
  memory: measureMemory,
  models: measureModels,
  scales: measureScales,
  size: measureSize,
};

const ALL = Object.keys(SECTIONS) as SectionName[];
const isSection = (name: string): name is SectionName => Object.hasOwn(SECTIONS, name);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { photos: { type: 'string' }, runs: { type: 'string' }, fill: { type: 'boolean' } },
  });
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) throw new Error('--runs takes a number');
  const unknown = positionals.find((name) => !isSection(name));
  if (unknown) throw new Error(`There is no section ${unknown}: ${ALL.join(', ')}`);
  const names = positionals.length > 0 ? positionals.filter(isSection) : ALL;

  if (values.fill) {
    for (const name of names) await fillFromResults(name);
    return;
  }
  await installDependencies();
  const album = new Album(values.photos);
  await album.prepare();
  const progress = new Progress();
  const machine = describeMachine();
  console.log(`${machineLine(machine)}\n`);
  for (const [index, name] of names.entries()) {
    const begun = performance.now();
    progress.begin(names.length > 1 ? `[${index + 1} of ${names.length}] ` : '');
    try {
      const data = await SECTIONS[name]({ album, progress, runs });
      progress.clear();
      const { tables } = values.photos
        ? reportOf(name, data)
        : (await saveResults(name, machine, data)).report;
      const seconds = Math.round((performance.now() - begun) / 1000);
      console.log(`${name} (${seconds} s)\n\n${tables.join('\n\n')}\n`);
    } catch (error) {
      progress.clear();
      // The others are worth having all the same.
      console.error(`${name} failed:`, error);
      process.exitCode = 1;
    }
  }
}

// So that servers that were started end too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
