/**
 * `npm run bench -- [SECTION…] [--runs N] [--photos DIR] [--fill] [--check]`
 *
 * Measures, prints the tables, and writes results and charts to bench/results and tables and figures into README.md and docs.
 * The pictures are drawn, so they are the same on every machine. `--photos` measures with a folder of your own instead and
 * writes nothing. `--fill` and `--check` measure nothing: the first rewrites charts and documents from the results files,
 * the second fails where a document differs from them.
 */
import { parseArgs } from 'node:util';
import { Album } from './pictures.ts';
import { Progress } from './progress.ts';
import { describeMachine, findStaleDocuments, publishResults, writeResult } from './results.ts';
import { attacks } from './sections/attacks.ts';
import { cold } from './sections/cold.ts';
import { cost } from './sections/cost.ts';
import { decode } from './sections/decode.ts';
import { memory } from './sections/memory.ts';
import { models } from './sections/models.ts';
import { size } from './sections/size.ts';
import { speed } from './sections/speed.ts';
import { stages } from './sections/stages.ts';

/** In the order in which they run: what other work on the machine disturbs most comes first. */
const SECTIONS = [speed, stages, cost, decode, attacks, cold, memory, models, size];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      photos: { type: 'string' },
      runs: { type: 'string' },
      fill: { type: 'boolean' },
      check: { type: 'boolean' },
    },
  });
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) throw new Error('--runs takes a positive integer');
  const names = SECTIONS.map(({ name }) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown) throw new Error(`Unknown section ${unknown}; there are ${names.join(', ')}`);
  const sections = SECTIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

  if (values.check) {
    const stale = await findStaleDocuments(SECTIONS);
    if (stale.length > 0) throw new Error(stale.join('\n'));
    return;
  }
  if (values.fill) return publishResults(sections);

  const album = new Album(values.photos);
  await album.prepare();
  const progress = new Progress();
  const machine = describeMachine();
  console.log(`${machine}\n`);
  for (const section of sections) {
    const started = performance.now();
    try {
      const result = await section.measure({ album, progress, runs });
      progress.clear();
      const seconds = Math.round((performance.now() - started) / 1000);
      console.log(`${section.name} (${seconds} s)\n\n${section.report(result).tables.join('\n\n')}\n`);
      if (values.photos) continue;
      await writeResult(section, machine, result);
      await publishResults([section]);
    } catch (error) {
      progress.clear();
      // The remaining sections do not depend on this one.
      console.error(`${section.name} failed:`, error);
      process.exitCode = 1;
    }
  }
}

// Exit handlers end the servers that were started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
