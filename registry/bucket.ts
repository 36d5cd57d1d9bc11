import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket, R2ListOptions, R2Objects } from '@cloudflare/workers-types';
import { getPlatformProxy } from 'wrangler';
import { modelBucket, readEnvironment } from './environment.ts';

export interface BucketOptions {
  /** Use the bucket at Cloudflare with wrangler's login, rather than the local one of `wrangler dev`. */
  readonly remote?: boolean;
  /** The environment of wrangler.toml whose bucket it is; default: the top level. */
  readonly env?: string | undefined;
  /** The folder of the local bucket; default: the one of `wrangler dev`. */
  readonly persistTo?: string | undefined;
}

/**
 * Calls `use` with the models' bucket of wrangler.toml, local or remote, and disconnects afterwards. The remote bucket
 * is reached through a remote binding because R2's HTTP API lacks conditional writes and checksums.
 *
 * @throws {Error} wrangler.toml binds no such bucket, or nobody is logged in
 */
export async function withBucket<T>(options: BucketOptions, use: (bucket: R2Bucket) => Promise<T>): Promise<T> {
  const environment = readEnvironment(options.env);
  const { name, account_id, compatibility_date } = environment;
  const bucket = modelBucket(environment);
  // A temporary configuration with only the bucket, so that wrangler starts nothing else of the Worker.
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

/** Yields all pages of a listing. */
export async function* listPages(bucket: R2Bucket, options: R2ListOptions): AsyncGenerator<R2Objects> {
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
    yield page;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
