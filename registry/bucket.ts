import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { getPlatformProxy } from 'wrangler';
import { modelBucket, readEnvironment } from './environment.ts';

export interface BucketOptions {
  /** The real bucket at Cloudflare, with the login of wrangler; else the local one of `wrangler dev`. */
  readonly remote?: boolean;
  /** Whose bucket: an environment of wrangler.toml; default: the one at its top level. */
  readonly env?: string | undefined;
  /** Where the local bucket lives; default: where `wrangler dev` keeps it. */
  readonly persistTo?: string | undefined;
}

/**
 * Runs `use` with the models' bucket of wrangler.toml, local or real, and lets go of it afterwards. The real one is
 * reached through a remote binding, which has what R2's API over HTTP has not: writes on a condition, and checksums.
 *
 * @throws {Error} there is no such bucket, or nobody is logged in
 */
export async function withBucket<T>(
  options: BucketOptions,
  use: (bucket: R2Bucket) => Promise<T>,
): Promise<T> {
  const environment = readEnvironment(options.env);
  const { name, account_id, compatibility_date } = environment;
  const bucket = modelBucket(environment);
  // A configuration of its own: nothing but the bucket, so that nothing else of the Worker is started.
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-'));
  const configPath = join(folder, 'wrangler.json');
  const r2_buckets = [{ ...bucket, remote: options.remote ?? false }];
  await writeFile(configPath, JSON.stringify({ name, account_id, compatibility_date, r2_buckets }));
  try {
    const { env, dispose } = await getPlatformProxy<Record<string, R2Bucket>>({
      configPath,
      remoteBindings: options.remote ?? false,
      // `wrangler dev --persist-to DIR` keeps its state in DIR/v3.
      persist: { path: join(options.persistTo ?? join('.wrangler', 'state'), 'v3') },
    });
    try {
      const bound = env[bucket.binding];
      if (!bound) throw new Error(`${bucket.binding} is not bound`);
      return await use(bound);
    } finally {
      await dispose();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
