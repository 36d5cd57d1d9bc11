import { craftedFiles, type HostileFile, mutatedFiles } from '../hostile.ts';
import type { Findings } from '../report.ts';
import { Client } from '../request.ts';
import type { Options } from '../run.ts';
import { median, round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 400;
const SEED = 20_260_101;
const GOAL = 2_000;
const SHOWN = 12;

interface Sent {
  readonly kind: string;
  readonly bytes: number;
  readonly status: number;
  readonly milliseconds: number;
}

/** How long anything can keep an isolate busy: damaged and hostile files, one after the other to one isolate. */
export async function measureSlowest({ album, progress, runs = RUNS }: Options): Promise<Findings> {
  const pictures = await album.pick([
    'JPEG 800 px',
    'PNG 800 px',
    'WebP 800 px',
    'GIF 800 px',
    'JPEG 12 MP',
    'JPEG 12 MP progressive',
    'PNG 3840 x 2160',
    'WebP 8 MP',
  ]);
  progress.show('slowest: starting workerd');
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('src/index.ts'), store);
  const client = new Client(workerd.url);
  const sent: Sent[] = [];
  try {
    await client.get('/api/health');
    const send = async (files: Iterable<HostileFile>, what: string) => {
      for (const file of files) {
        progress.show('slowest', `${what}: ${file.kind}`);
        const { status, milliseconds } = await client.post('/api/predict', file);
        sent.push({ kind: file.kind, bytes: file.bytes.length, status, milliseconds: round(milliseconds) });
      }
    };
    await send(craftedFiles(pictures), 'crafted');
    await send(mutatedFiles(pictures, runs, SEED), 'mutated');
  } finally {
    client.close();
    await workerd.stop();
    await store.remove();
  }
  return findings(sent);
}

function findings(sent: readonly Sent[]): Findings {
  const slowest = sent.toSorted((one, other) => other.milliseconds - one.milliseconds);
  const statuses: Record<string, number> = {};
  for (const { status } of sent) statuses[status] = (statuses[status] ?? 0) + 1;
  const [worst] = slowest;
  const shown = slowest
    .slice(0, SHOWN)
    .map(({ kind, bytes, status, milliseconds }) => [
      kind,
      (bytes / 1e6).toFixed(2),
      String(status),
      milliseconds.toFixed(0),
    ]);
  const counts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  const note = `${sent.length} files (seed ${SEED}): ${counts.join(', ')}. The slowest: ${worst?.milliseconds.toFixed(0)} ms, ${worst?.kind}; the goal is at most ${GOAL}. The median: ${median(sent.map(({ milliseconds }) => milliseconds)).toFixed(1)} ms.`;
  return {
    data: { seed: SEED, statuses, slowest: slowest.slice(0, 50) },
    tables: [table(['slowest files', 'MB', 'answer', 'ms'], shown), note],
    charts: {},
  };
}
