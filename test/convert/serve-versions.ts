/**
 * Publishes each of the versions that standard input lists as JSON ({folder, photos}) to one running Worker, and prints
 * its answers, with heat maps, for the version's photos.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { R2Bucket } from '@cloudflare/workers-types';
import * as z from 'zod';
import { readRelease } from '../../registry/release.ts';
import { schemas } from '../../src/api/schemas.ts';
import { startWorker } from '../e2e/wrangler.ts';

const Versions = z.array(z.object({ folder: z.string(), photos: z.array(z.string()) }));
type Prediction = z.infer<typeof schemas.Prediction>;
/** How long the Worker may take to follow the channel, in milliseconds. */
const PATIENCE = 30_000;

const worker = await startWorker({ release: null, vars: { MODEL_REFRESH: 0 } });

async function predict(photo: string): Promise<Prediction> {
  const response = await fetch(`${worker.url}/api/predict?heatmap=1`, { method: 'POST', body: await readFile(photo) });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${answer}`);
  return schemas.Prediction.parse(JSON.parse(answer));
}

async function serve(folder: string, photos: readonly string[], bucket: R2Bucket): Promise<Prediction[]> {
  await worker.publish(folder, bucket);
  const { version } = await readRelease(folder);
  const deadline = Date.now() + PATIENCE;
  const answers: Prediction[] = [];
  for (const photo of photos) {
    let answer = await predict(photo);
    while (!version.startsWith(answer.model.version) && Date.now() < deadline) {
      await setTimeout(100);
      answer = await predict(photo);
    }
    answers.push(answer);
  }
  return answers;
}

try {
  const versions = Versions.parse(JSON.parse(await text(process.stdin)));
  const served = await worker.bucket(async (bucket) => {
    const all: Prediction[][] = [];
    for (const { folder, photos } of versions) {
      const answers = serve(folder, photos, bucket);
      all.push(
        await answers.catch((cause: unknown) => {
          throw new Error(`${folder}: ${cause instanceof Error ? cause.message : cause}`);
        }),
      );
    }
    return all;
  });
  console.log(JSON.stringify(served));
} finally {
  await worker.stop();
}
