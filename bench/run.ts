/**
 * `npm run bench -- [SECTION…] [--photos DIR] [--runs N]`
 *
 * Measures, prints tables, and writes results and charts to bench/results and the tables to docs/benchmarks.md. The pictures are drawn,
 * so anyone gets the same ones; with `--photos` those of a folder are taken instead, and nothing is written.
 */
import { parseArgs } from 'node:util';
import { describeMachine, machineLine } from './machine.ts';
import { Album } from './pictures.ts';
import { installDependencies } from './processes.ts';
import { Progress } from './progress.ts';
import { type Findings, save } from './report.ts';
import { measureCold } from './sections/cold.ts';
import { measureMemory } from './sections/memory.ts';
import { measureModels } from './sections/models.ts';
import { measureScales } from './sections/scales.ts';
import { measureSlowest } from './sections/slowest.ts';
import { measureSpeed } from './sections/speed.ts';

export interface Options {
  readonly album: Album;
  readonly progress: Progress;
  /** How often each measurement is repeated; undefined: as often as the section thinks right. */
  readonly runs: number | undefined;
}

const SECTIONS: Readonly<Record<string, (options: Options) => Promise<Findings>>> = {
  speed: measureSpeed,
  memory: measureMemory,
  cold: measureCold,
  scales: measureScales,
  models: measureModels,
  slowest: measureSlowest,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { photos: { type: 'string' }, runs: { type: 'string' } },
  });
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) throw new Error('--runs takes a number');
  const names = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
  const unknown = names.find((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown) throw new Error(`There is no section ${unknown}: ${Object.keys(SECTIONS).join(', ')}`);

  await installDependencies();
  const album = new Album(values.photos);
  await album.prepare();
  const progress = new Progress();
  const machine = describeMachine();
  console.log(`${machineLine(machine)}\n`);
  for (const name of names) {
    const findings = await SECTIONS[name]?.({ album, progress, runs });
    progress.clear();
    if (!findings) continue;
    console.log(`${name}\n\n${findings.tables.join('\n\n')}\n`);
    if (!values.photos) await save(name, machine, findings);
  }
}

// So that servers that were started end too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
