import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { unstable_readConfig } from 'wrangler';
import * as z from 'zod';
import { CONFIG, ENVIRONMENTS, modelBucket, readEnvironment } from '../../registry/environment.ts';
import { KEY_FOLDER, keyPaths } from '../../registry/keygen.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import { type PublicKey, parsePublicKeys } from '../../src/model/oms/public-keys.ts';
import { type Done, reasonOf, StepFailed, StepsFailed } from './progress.ts';

/** What wrangler.toml says about an environment. */
export interface Configuration {
  readonly name: string;
  readonly account: string | undefined;
  readonly bucket: { readonly name: string; readonly jurisdiction: string | undefined };
  readonly settings: Config;
  /** The keys that the deployed Worker will trust; undefined if there are none yet. */
  readonly keys: readonly PublicKey[] | undefined;
}

const Platform = z.object({
  ratelimits: z
    .array(
      z.object({
        name: z.string(),
        namespace_id: z.string(),
        simple: z.object({ limit: z.number(), period: z.number() }),
      }),
    )
    .default([]),
  limits: z.object({ cpu_ms: z.number() }).optional(),
});

/** The least CPU time, in milliseconds, that a batch of costly photos needs; see docs/image.md. */
const LEAST_CPU_MS = 10_000;
/** The platform's limit for an isolate. */
const PLATFORM_MEMORY_BYTES = 128 * 1024 * 1024;

/**
 * Checks an environment of wrangler.toml before anything is uploaded: its settings by the Worker's own schema, the
 * bindings that environments do not inherit, and numbers that have to agree.
 *
 * @throws {StepFailed | StepsFailed} everything that is wrong or missing
 */
export async function checkConfiguration(env: string): Promise<Done<Configuration>> {
  const environment = attempt(() => readEnvironment(env), `cannot read ${CONFIG}`);
  const bucket = attempt(() => modelBucket(environment), 'a binding is missing');
  const settings = attempt(() => parseConfig(environment.vars), `[env.${env}.vars]`);
  const failures = [...disagreements(env, settings)];
  if (bucket.bucket_name === undefined)
    failures.push(wrong('the bucket has no bucket_name', `Give it one in ${CONFIG}.`));
  if (failures.length > 0) throw new StepsFailed(failures);
  const keys = settings.MODEL_PUBLIC_KEYS.trim() === '' ? undefined : await readKeys(env, settings);
  const bucketName = bucket.bucket_name ?? '';
  const { name, account_id } = environment;
  return {
    value: {
      name,
      account: account_id,
      bucket: { name: bucketName, jurisdiction: bucket.jurisdiction },
      settings,
      keys,
    },
    said: `${name} with the bucket ${bucketName} and the channel ${settings.MODEL_CHANNEL}`,
  };
}

/** Finds settings and bindings of an environment that disagree. */
function* disagreements(env: string, settings: Config): Generator<StepFailed> {
  const { ratelimits, limits } = platformOf(env);
  if (settings.RATE_LIMITS === 'off') {
    yield wrong('RATE_LIMITS is off', `It is for local use: remove it from [env.${env}.vars].`);
  }
  for (const window of ['BURST', 'SUSTAINED'] as const) {
    const reported = { limit: settings[`${window}_PHOTOS`], period: settings[`${window}_SECONDS`] };
    const bound = ratelimits.find(({ name }) => name === window);
    const counter = `[[env.${env}.ratelimits]]`;
    if (!bound) {
      yield wrong(`no counter ${window}`, `Bind ${window} under ${counter}: environments do not inherit it.`);
    } else if (bound.simple.limit !== reported.limit || bound.simple.period !== reported.period) {
      yield wrong(
        `${window} counts ${bound.simple.limit} in ${bound.simple.period} s but reports ${reported.limit} in ${reported.period} s`,
        `Make ${counter} agree with ${window}_PHOTOS and ${window}_SECONDS under [env.${env}.vars].`,
      );
    }
    const shared = bound && findSharing(env, bound.namespace_id);
    if (shared) {
      yield wrong(`${window} shares its counter with ${shared}`, `Give it another namespace_id under ${counter}.`);
    }
  }
  if (limits && limits.cpu_ms < LEAST_CPU_MS) {
    yield wrong(`cpu_ms = ${limits.cpu_ms} is too low for a batch of photos`, `Set at least ${LEAST_CPU_MS}.`);
  }
  const { ISOLATE_MEMORY_BYTES, MAX_MODEL_MEMORY_BYTES, BASELINE_MEMORY_BYTES } = settings;
  if (ISOLATE_MEMORY_BYTES > PLATFORM_MEMORY_BYTES) {
    yield wrong('ISOLATE_MEMORY_BYTES is over 128 MiB', 'The platform ends isolates at that size: lower it.');
  }
  if (MAX_MODEL_MEMORY_BYTES + BASELINE_MEMORY_BYTES >= ISOLATE_MEMORY_BYTES) {
    yield wrong('no memory is left for photos', 'Lower MAX_MODEL_MEMORY_BYTES or raise ISOLATE_MEMORY_BYTES.');
  }
}

const platformOf = (env: string) => Platform.parse(unstable_readConfig({ config: CONFIG, env }));

/** The other environment whose counter has this namespace, if any. */
function findSharing(env: string, namespace: string): string | undefined {
  return ENVIRONMENTS.find(
    (other) => other !== env && platformOf(other).ratelimits.some(({ namespace_id }) => namespace_id === namespace),
  );
}

async function readKeys(env: string, settings: Config): Promise<readonly PublicKey[]> {
  try {
    return await parsePublicKeys(settings.MODEL_PUBLIC_KEYS);
  } catch (cause) {
    throw new StepFailed(`MODEL_PUBLIC_KEYS: ${reasonOf(cause)}`, [await keyAdvice(env)], { cause });
  }
}

/** How to add a key to wrangler.toml; includes the key if it exists. */
export async function keyAdvice(env: string): Promise<string> {
  const { publicKeyPath } = keyPaths(KEY_FOLDER);
  const found = existsSync(publicKeyPath);
  const pem = found
    ? (await readFile(publicKeyPath, 'utf8')).trim()
    : '-----BEGIN PUBLIC KEY-----\n(the output of model:keygen)\n-----END PUBLIC KEY-----';
  const make = found ? '' : 'Generate a key that signs models, and keep a backup of it:\n  npm run model:keygen\n';
  return `${make}Add the public key to ${CONFIG}, under [env.${env}.vars]:\nMODEL_PUBLIC_KEYS = """\n${pem}\n"""`;
}

const wrong = (message: string, advice: string) => new StepFailed(message, [advice]);

function attempt<T>(read: () => T, message: string): T {
  try {
    return read();
  } catch (cause) {
    throw new StepFailed(`${message}: ${reasonOf(cause)}`, [`Correct ${CONFIG}.`], { cause });
  }
}
