import { unstable_readConfig } from 'wrangler';
import * as z from 'zod';
import { type Config, parseConfig } from '../src/config.ts';

/** Describes the Worker and its bucket, for this machine and for each environment. */
export const CONFIG = 'wrangler.toml';

/** The environments of wrangler.toml. Its top level applies to this machine only. */
export const ENVIRONMENTS = ['production', 'staging'] as const;

/** The environment of `--remote` without `--env`. */
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
  analytics_engine_datasets: z.array(z.object({ binding: z.string(), dataset: z.string().optional() })).default([]),
  vars: z.record(z.string(), z.unknown()),
});

/** What wrangler.toml says about one environment, as far as models are concerned. */
export type Environment = z.infer<typeof Environment>;

/**
 * Reads an environment of wrangler.toml; without a name, the one of this machine.
 *
 * @throws {Error} the file or the environment does not exist
 */
export function readEnvironment(env?: string): Environment {
  return Environment.parse(unstable_readConfig({ config: CONFIG, env }));
}

/**
 * Reads the settings of an environment, under the schema that the Worker starts with.
 *
 * @throws {InvalidConfig} the Worker would not start with them
 */
export function readSettings(env?: string): Config {
  return parseConfig(readEnvironment(env).vars);
}

/**
 * The models' bucket of an environment.
 *
 * @throws {Error} none is bound
 */
export function modelBucket({ name, r2_buckets }: Environment): Environment['r2_buckets'][number] {
  const bucket = r2_buckets.find(({ binding }) => binding === BINDING);
  if (!bucket) throw new Error(`${CONFIG} binds no R2 bucket to ${BINDING} for ${name}`);
  return bucket;
}
