import { type cold, VARIANT_NAMES, type Variant } from '../reports/cold.ts';
import type { DataOf } from '../reports/report.ts';
import { Client, scoreIn } from '../request.ts';
import type { Options } from '../section.ts';
import { round } from '../statistics.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 21;

/** First request to first answer in a fresh workerd process each time; the variants take turns. */
export async function measureCold({ album, progress, runs = RUNS }: Options): Promise<DataOf<typeof cold>> {
  const [picture] = await album.pick(['JPEG 800 px']);
  if (!picture) throw new Error('There is no picture.');
  progress.show('cold: bundling');
  const modules = await bundle('bench/worker/cold.js');
  const store = await createStore();
  const times: Record<Variant, number[]> = { all: [], 'self-test': [], none: [] };
  try {
    // One more than asked for: the first of all finds the disk cold.
    for (let run = -1; run < runs; run++) {
      progress.show('cold', `start ${Math.max(0, run + 1)} of ${runs}`);
      for (let i = 0; i < VARIANT_NAMES.length; i++) {
        const variant = VARIANT_NAMES[(i + run + VARIANT_NAMES.length) % VARIANT_NAMES.length] as Variant;
        const workerd = await startWorkerd(modules, store, { vars: { CHECKS: variant } });
        const client = new Client(workerd.url);
        try {
          await workerd.warmBucket();
          const answer = await client.post('/api/predict', picture);
          scoreIn(answer);
          if (run >= 0) times[variant].push(round(answer.milliseconds));
        } finally {
          client.close();
          await workerd.stop();
        }
      }
    }
  } finally {
    await store.remove();
  }
  return { runs, milliseconds: times };
}
