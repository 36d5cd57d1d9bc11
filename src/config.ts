import { z } from 'zod';

/** The bindings and variables that wrangler.toml gives the Worker. */
export interface Env {
  readonly MODELS: R2Bucket;
}

const megabytes = (default_: number) => z.coerce.number().int().min(1).max(128_000_000).default(default_);
const milliseconds = (default_: number) => z.coerce.number().int().min(0).max(600_000).default(default_);

/**
 * Every setting and every limit, with its default. A variable of the same name under `[vars]` in
 * wrangler.toml overrides it. Sizes are in bytes, times in milliseconds.
 */
const Settings = z.object({
  /** Which pointer in R2 (`channels/<channel>.json`) names the version to serve. */
  MODEL_CHANNEL: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .default('production'),
  /** Pins one version (all 64 hex digits of it): then the channel is ignored. */
  MODEL_VERSION: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .default(''),
  /** The keys whose signature makes a model trusted: PEM blocks, one after the other. Without one, none is served. */
  MODEL_PUBLIC_KEYS: z.string().default(''),
  /** How often an isolate looks whether the channel has moved. */
  MODEL_REFRESH: milliseconds(60_000),
  /** Largest manifest that is read. */
  MAX_MANIFEST_BYTES: megabytes(1_000_000),
  /** Largest model that is read: fetched into the isolate's memory and copied into ONNX Runtime's. */
  MAX_MODEL_BYTES: megabytes(32_000_000),
  /** How long fetching and starting a model may take before a request gives up on it. */
  MODEL_LOAD_TIMEOUT: milliseconds(20_000),

  /** Largest request body on `/api/predict`. */
  MAX_BODY_BYTES: megabytes(20_000_000),
  /** Largest request body on `/huskyai/`: the original's limit. */
  MAX_BODY_BYTES_HUSKYAI: megabytes(10_000_000),
  /** How long a photo waits for a place in memory before it is answered with 503 `overloaded`. */
  MEMORY_WAIT: milliseconds(3_000),
  /** How long an upload may take. */
  UPLOAD_TIMEOUT: milliseconds(60_000),
  /** How long an upload may stand still; a request that has vanished frees its place in memory after this time. */
  UPLOAD_IDLE_TIMEOUT: milliseconds(10_000),

  /**
   * What the isolate may use in all: the platform kills it at 128 MiB (134,217,728 bytes), and not all garbage
   * is collected at once.
   */
  ISOLATE_MEMORY_BYTES: megabytes(120_000_000),
  /** What ONNX Runtime takes with a model; reckoned with before it has started, and as it is when it is more. */
  MODEL_MEMORY_BYTES: megabytes(52_000_000),
  /** What the Worker's own code and data take of it, ONNX Runtime, decoders and photos apart; `npm run bench -- memory`. */
  BASELINE_MEMORY_BYTES: megabytes(8_000_000),
});

export type Config = Readonly<z.infer<typeof Settings>>;

const parsed = new WeakMap<Env, Config>();

/**
 * The settings of this Worker, parsed once for each `env`.
 *
 * @throws {z.ZodError} a variable in wrangler.toml is not what it should be
 */
export function configOf(env: Env): Config {
  let config = parsed.get(env);
  if (!config) {
    config = Settings.parse(env);
    parsed.set(env, config);
  }
  return config;
}
