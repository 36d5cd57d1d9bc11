import { unstable_readConfig } from 'wrangler';
import * as z from 'zod';

/** Where the Worker and its bucket are described, for this machine and for each environment. */
export const CONFIG = 'wrangler.toml';

/** The environments of wrangler.toml; what is at its top level is for this machine alone. */
export const ENVIRONMENTS = ['production', 'staging'] as const;

/** Where `--remote` goes unless `--env` says otherwise. */
export const DEFAULT_ENVIRONMENT = 'production';

const BINDING = 'MODELS';

const Environment = z.object({
  name: z.string(),
  account_id: z.string().optional(),
  compatibility_date: z.string(),
  r2_buckets: z.array(
    z.looseObject({
      binding: z.string(),
      bucket_name: z.string().optional(),
      jurisdiction: z.string().optional(),
    }),
  ),
  vars: z.looseObject({
    MODEL_PUBLIC_KEYS: z.string().default(''),
    MODEL_VERSION: z.string().default(''),
    MODEL_CHANNEL: z.string().default('production'),
  }),
});

/** What wrangler.toml says of one environment, as far as it is about models. */
export type Environment = z.infer<typeof Environment>;

/**
 * Reads an environment of wrangler.toml; without a name, what holds on this machine.
 *
 * @throws {Error} there is no such file, or no such environment in it
 */
export function readEnvironment(env?: string): Environment {
  return Environment.parse(unstable_readConfig({ config: CONFIG, env }));
}

/**
 * The models' bucket of an environment.
 *
 * @throws {Error} none is bound
 */
export function modelBucket({ name, r2_buckets }: Environment): Environment['r2_buckets'][number] {
  const bucket = r2_buckets.find(({ binding }) => binding === BINDING);
  if (!bucket) throw new Error(`${CONFIG} has no R2 bucket bound to ${BINDING} for ${name}`);
  return bucket;
}
