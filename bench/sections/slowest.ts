import { craftedFiles, type HostileFile, mutatedFiles } from '../hostile.ts';
import type { DataOf } from '../reports/report.ts';
import type { slowest } from '../reports/slowest.ts';
import { Client } from '../request.ts';
import type { Options } from '../section.ts';
import { median, round } from '../statistics.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 400;
const SEED = 20_260_101;
/** How many of the slowest the results file has. */
const KEPT = 50;

interface Sent {
  readonly kind: string;
  readonly bytes: number;
  readonly status: number;
  readonly milliseconds: number;
}

/** How long anything can keep an isolate busy: damaged and hostile files, one after the other to one isolate. */
export async function measureSlowest({
  album,
  progress,
  runs = RUNS,
}: Options): Promise<DataOf<typeof slowest>> {
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
  return summaryOf(sent);
}

function summaryOf(sent: readonly Sent[]): DataOf<typeof slowest> {
  const statuses: Record<string, number> = {};
  for (const { status } of sent) statuses[status] = (statuses[status] ?? 0) + 1;
  const medianMilliseconds = round(median(sent.map(({ milliseconds }) => milliseconds)));
  const sorted = sent.toSorted((one, other) => other.milliseconds - one.milliseconds);
  return { seed: SEED, statuses, medianMilliseconds, slowest: sorted.slice(0, KEPT) };
}
