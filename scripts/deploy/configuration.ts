import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { unstable_readConfig } from 'wrangler';
import * as z from 'zod';
import { CONFIG, ENVIRONMENTS, modelBucket, readEnvironment } from '../../registry/environment.ts';
import { KEY_FOLDER, keyPaths } from '../../registry/keygen.ts';
import { type Config, Settings } from '../../src/config.ts';
import { type PublicKey, parsePublicKeys } from '../../src/model/oms/public-keys.ts';
import { type Done, StepFailed, StepsFailed } from './progress.ts';

/** What is deployed, as wrangler.toml has it. */
export interface Configuration {
  readonly name: string;
  readonly account: string | undefined;
  readonly bucket: { readonly name: string; readonly jurisdiction: string | undefined };
  readonly settings: Config;
  /** The keys that the deployed Worker trusts; undefined where there are none yet. */
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

/** The least CPU time, in milliseconds, in which a batch of costly photos can be answered; see docs/image.md. */
const LEAST_CPU_MS = 10_000;
/** What the platform gives an isolate. */
const PLATFORM_MEMORY_BYTES = 128 * 1024 * 1024;

/**
 * Checks what wrangler.toml says of an environment: that nothing is missing which environments do not inherit, and that
 * its numbers agree with each other.
 *
 * @throws {StepsFailed} all that is wrong with it or missing from it
 */
export async function checkConfiguration(env: string): Promise<Done<Configuration>> {
  const environment = attempt(() => readEnvironment(env), `${CONFIG} cannot be read`);
  const bucket = attempt(() => modelBucket(environment), 'a binding is missing');
  const parsed = Settings.safeParse(environment.vars);
  if (!parsed.success) {
    throw new StepsFailed(
      parsed.error.issues.map(({ path, message }) =>
        wrong(`${path.join('.')}: ${message}`, `Correct it under [env.${env}.vars] in ${CONFIG}.`),
      ),
    );
  }
  const settings = parsed.data;
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

/** What in an environment does not fit together. */
function* disagreements(env: string, settings: Config): Generator<StepFailed> {
  const { ratelimits, limits } = platformOf(env);
  if (settings.RATE_LIMITS === 'off') {
    yield wrong('RATE_LIMITS is off', `It is meant for one's own machine: take it out of [env.${env}.vars].`);
  }
  for (const window of ['BURST', 'SUSTAINED'] as const) {
    const told = { limit: settings[`${window}_PHOTOS`], period: settings[`${window}_SECONDS`] };
    const bound = ratelimits.find(({ name }) => name === window);
    const counter = `[[env.${env}.ratelimits]]`;
    if (!bound) {
      yield wrong(`no counter ${window}`, `Bind ${window} under ${counter}: environments do not inherit it.`);
    } else if (bound.simple.limit !== told.limit || bound.simple.period !== told.period) {
      yield wrong(
        `${window} counts ${bound.simple.limit} in ${bound.simple.period} s and tells ${told.limit} in ${told.period} s`,
        `Make ${counter} and ${window}_PHOTOS, ${window}_SECONDS under [env.${env}.vars] the same.`,
      );
    }
    const shared = bound && sharedWith(env, bound.namespace_id);
    if (shared) {
      yield wrong(
        `${window} counts together with ${shared}`,
        `Give it a namespace_id of its own under ${counter}.`,
      );
    }
  }
  if (limits && limits.cpu_ms < LEAST_CPU_MS) {
    yield wrong(
      `cpu_ms = ${limits.cpu_ms} is too little for a batch of photos`,
      `Set at least ${LEAST_CPU_MS}.`,
    );
  }
  const { ISOLATE_MEMORY_BYTES, MODEL_MEMORY_BYTES, BASELINE_MEMORY_BYTES } = settings;
  if (ISOLATE_MEMORY_BYTES > PLATFORM_MEMORY_BYTES) {
    yield wrong('ISOLATE_MEMORY_BYTES is over 128 MiB', 'The platform ends isolates there: set it lower.');
  }
  if (MODEL_MEMORY_BYTES + BASELINE_MEMORY_BYTES >= ISOLATE_MEMORY_BYTES) {
    yield wrong('no memory is left for photos', 'Lower MODEL_MEMORY_BYTES or raise ISOLATE_MEMORY_BYTES.');
  }
}

const platformOf = (env: string) => Platform.parse(unstable_readConfig({ config: CONFIG, env }));

/** The other environment whose counter has this number, if one has. */
function sharedWith(env: string, namespace: string): string | undefined {
  return ENVIRONMENTS.find(
    (other) =>
      other !== env && platformOf(other).ratelimits.some(({ namespace_id }) => namespace_id === namespace),
  );
}

async function readKeys(env: string, settings: Config): Promise<readonly PublicKey[]> {
  try {
    return await parsePublicKeys(settings.MODEL_PUBLIC_KEYS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailed(`MODEL_PUBLIC_KEYS: ${reason}`, [await keyAdvice(env)], { cause });
  }
}

/** How to get a key into wrangler.toml: with the key itself, where one has been made. */
export async function keyAdvice(env: string): Promise<string> {
  const { publicKeyPath } = keyPaths(KEY_FOLDER);
  const found = existsSync(publicKeyPath);
  const pem = found
    ? (await readFile(publicKeyPath, 'utf8')).trim()
    : '-----BEGIN PUBLIC KEY-----\n(what keygen has printed)\n-----END PUBLIC KEY-----';
  const make = found
    ? ''
    : 'Make a key that signs models, once, and keep a copy of it in a safe place:\n  npm run model:keygen\n';
  return `${make}Put the public key into ${CONFIG}, under [env.${env}.vars]:\nMODEL_PUBLIC_KEYS = """\n${pem}\n"""`;
}

const wrong = (message: string, advice: string) => new StepFailed(message, [advice]);

function attempt<T>(read: () => T, message: string): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new StepFailed(`${message}: ${reason}`, [`Mend ${CONFIG}.`], { cause });
  }
}
