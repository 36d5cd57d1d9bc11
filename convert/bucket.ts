import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { getPlatformProxy, unstable_readConfig } from 'wrangler';
import { z } from 'zod';

export interface BucketOptions {
  /** The real bucket at Cloudflare, with the login of wrangler; else the local one of `wrangler dev`. */
  readonly remote?: boolean;
  /** Where the local bucket lives; default: where `wrangler dev` keeps it. */
  readonly persistTo?: string | undefined;
}

const BINDING = 'MODELS';
const CONFIG = 'wrangler.toml';

const WorkerConfig = z.object({
  name: z.string(),
  compatibility_date: z.string(),
  r2_buckets: z.array(z.looseObject({ binding: z.string() })),
});

/** Runs `use` with the models' bucket of wrangler.toml, local or real, and lets go of it afterwards. */
export async function withBucket<T>(
  options: BucketOptions,
  use: (bucket: R2Bucket) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-'));
  // A configuration of its own: nothing but the bucket, so that nothing else of the Worker is started.
  const { name, compatibility_date, r2_buckets } = WorkerConfig.parse(
    unstable_readConfig({ config: CONFIG }),
  );
  const bucket = r2_buckets.find(({ binding }) => binding === BINDING);
  if (!bucket) throw new Error(`${CONFIG} has no R2 bucket bound to ${BINDING}`);
  const configPath = join(folder, 'wrangler.json');
  const buckets = [{ ...bucket, remote: options.remote ?? false }];
  await writeFile(configPath, JSON.stringify({ name, compatibility_date, r2_buckets: buckets }));

  const { env, dispose } = await getPlatformProxy<{ [BINDING]: R2Bucket }>({
    configPath,
    remoteBindings: options.remote ?? false,
    // `wrangler dev --persist-to DIR` keeps its state in DIR/v3.
    persist: { path: join(options.persistTo ?? join('.wrangler', 'state'), 'v3') },
  });
  try {
    return await use(env[BINDING]);
  } finally {
    await dispose();
    await rm(folder, { recursive: true, force: true });
  }
}
