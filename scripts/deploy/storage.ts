import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withBucket } from '../../registry/bucket.ts';
import { type Published, publish } from '../../registry/publish.ts';
import { RELEASE_FOLDER, type Release } from '../../registry/release.ts';
import { SIGNATURE_FILE } from '../../registry/sign.ts';
import type { PublicKey } from '../../src/model/oms/public-keys.ts';
import { refused } from './advice.ts';
import type { Configuration } from './configuration.ts';
import { type Done, StepFailed } from './progress.ts';
import { runWrangler } from './wrangler.ts';

/** R2's number for a bucket that exists and is one's own. */
const EXISTS = 10004;

/**
 * Makes the bucket where it is missing.
 *
 * @throws {StepFailed} it cannot be made
 */
export async function ensureBucket({ bucket }: Configuration): Promise<Done<void>> {
  const jurisdiction = bucket.jurisdiction ? ['--jurisdiction', bucket.jurisdiction] : [];
  const result = await runWrangler('r2', 'bucket', 'create', bucket.name, ...jurisdiction);
  if (result.ok) return { value: undefined, said: `${bucket.name} is made` };
  if (result.code !== EXISTS) throw refused('the bucket cannot be made', result);
  return { value: undefined, said: `${bucket.name} is there already` };
}

/**
 * Puts the signed version into the bucket, and points the channel at it last.
 *
 * @throws {StepFailed} the bucket cannot be reached, or refuses a write: then the channel points where it did
 */
export async function publishRelease(
  env: string,
  { settings }: Configuration,
  release: Release,
  keys: readonly PublicKey[],
): Promise<Done<Published>> {
  const signature = await readFile(join(RELEASE_FOLDER, SIGNATURE_FILE));
  const channel = settings.MODEL_CHANNEL;
  // What it says of its connection would stand in the middle of our line.
  process.env.WRANGLER_LOG ??= 'warn';
  try {
    const published = await withBucket({ remote: true, env }, (bucket) =>
      publish(bucket, release, signature, keys, channel),
    );
    const { written, moved } = published;
    const files = written.length > 0 ? `wrote ${written.join(', ')}` : 'already there';
    const pointer = `channel ${channel} ${moved ? 'now points' : 'pointed already'} at it`;
    return { value: published, said: `${files}; ${pointer}` };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailed(reason, ['Run the same command again: what is there already is not sent twice.'], {
      cause,
    });
  }
}
