import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withBucket } from '../../registry/bucket.ts';
import { type Published, publish } from '../../registry/publish.ts';
import type { Release } from '../../registry/release.ts';
import { SIGNATURE_FILE } from '../../registry/sign.ts';
import { checkVersion } from '../../registry/versions.ts';
import type { PublicKey } from '../../src/model/oms/public-keys.ts';
import { refused } from './advice.ts';
import type { Configuration } from './configuration.ts';
import type { DeployOptions } from './options.ts';
import { type Done, reasonOf, StepFailed } from './progress.ts';
import { checkRuns } from './release.ts';
import { runWrangler } from './wrangler.ts';

/** R2's error code for a bucket that you own already. */
const EXISTS = 10004;

/**
 * Creates the bucket unless it exists.
 *
 * @throws {StepFailed} it cannot be created
 */
export async function ensureBucket({ bucket }: Configuration): Promise<Done<void>> {
  const jurisdiction = bucket.jurisdiction ? ['--jurisdiction', bucket.jurisdiction] : [];
  const result = await runWrangler('r2', 'bucket', 'create', bucket.name, ...jurisdiction);
  if (result.ok) return { value: undefined, said: `created ${bucket.name}` };
  if (result.code !== EXISTS) throw refused('cannot create the bucket', result);
  return { value: undefined, said: `${bucket.name} exists` };
}

/**
 * Writes the signed version to the bucket, then points the channel at it. A pinned version is tried first.
 *
 * @throws {StepFailed} the bucket cannot be reached or refuses a write: then the channel has not moved
 */
export async function publishRelease(
  { env, model }: Pick<DeployOptions, 'env' | 'model'>,
  { settings }: Configuration,
  release: Release,
  keys: readonly PublicKey[],
): Promise<Done<Published>> {
  const signature = await readFile(join(model, SIGNATURE_FILE));
  const channel = settings.MODEL_CHANNEL;
  // Its messages about the connection would interrupt our line.
  process.env.WRANGLER_LOG ??= 'warn';
  try {
    const published = await withBucket({ remote: true, env }, async (bucket) => {
      const { MODEL_VERSION } = settings;
      if (MODEL_VERSION !== '' && MODEL_VERSION !== release.version) {
        await checkRuns(await checkVersion(bucket, MODEL_VERSION, keys, settings), settings);
      }
      return publish(bucket, release, signature, keys, channel, settings);
    });
    const { written, moved } = published;
    const files = written.length > 0 ? `wrote ${written.join(', ')}` : 'nothing to write';
    const pointer = `channel ${channel} ${moved ? 'now points' : 'already pointed'} at it`;
    return { value: published, said: `${files}; ${pointer}` };
  } catch (cause) {
    if (cause instanceof StepFailed) throw cause;
    throw new StepFailed(reasonOf(cause), ['Run the same command again: it skips what is done.'], { cause });
  }
}
