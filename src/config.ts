import * as z from 'zod';

/** The bindings and variables that wrangler.toml gives the Worker. */
export interface Env {
  readonly MODELS: R2Bucket;
  /** Counts photos over the short window. */
  readonly BURST?: RateLimit;
  /** Counts photos over the long window. */
  readonly SUSTAINED?: RateLimit;
}

const megabytes = (default_: number) => z.coerce.number().int().min(1).max(128_000_000).default(default_);
const milliseconds = (default_: number) => z.coerce.number().int().min(0).max(600_000).default(default_);

const photos = (default_: number) => z.coerce.number().int().min(1).max(10_000).default(default_);
/** The windows that the platform's rate limit knows, in seconds. */
const window = (default_: 10 | 60) =>
  z.coerce
    .number()
    .pipe(z.union([z.literal(10), z.literal(60)]))
    .default(default_);

/** Words separated by spaces or commas. */
const words = <T extends z.ZodType<unknown, string>>(word: T) =>
  z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((each) => each !== ''))
    .pipe(z.array(word));

/** Whether the text is an origin just as browsers write it, such as `https://example.org`. */
const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;

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
  /** The most photos that one request to `/api/predict` may carry. */
  MAX_BATCH_PHOTOS: photos(16),
  /** How long a photo waits for a place in memory before it is answered with 503 `overloaded`. */
  MEMORY_WAIT: milliseconds(3_000),
  /** How long an upload may take. */
  UPLOAD_TIMEOUT: milliseconds(60_000),
  /** How long an upload may stand still; a request that has vanished frees its place in memory after this time. */
  UPLOAD_IDLE_TIMEOUT: milliseconds(10_000),

  /**
   * `off` lets everybody send as many photos as they like: for fuzzing, benchmarks and soak runs on one's own
   * machine. Only photos are limited, never questions about the model or the pages.
   */
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
  /**
   * How many photos one address, and one token, may send in each window. What counts is `[[ratelimits]]` in
   * wrangler.toml; the Worker cannot read it there and tells clients these numbers, so change both together.
   */
  BURST_PHOTOS: photos(20),
  BURST_SECONDS: window(10),
  SUSTAINED_PHOTOS: photos(60),
  SUSTAINED_SECONDS: window(60),
  /**
   * The bearer tokens that may ask for predictions: the SHA-256 of each in hex, separated by spaces or commas.
   * Empty: everybody may.
   */
  API_TOKENS: words(z.string().regex(/^[0-9a-f]{64}$/)),
  /** The origins whose pages may call the API, separated by spaces or commas; `*` for all. Empty: only its own. */
  CORS_ORIGINS: words(z.union([z.literal('*'), z.string().refine(isOrigin, 'not an origin')])),
  /**
   * How much of the score is given out: all six decimals, two, or the label alone. What that costs whoever attacks
   * the model by asking it is in docs/threat-model.md.
   */
  SCORES: z.enum(['full', 'rounded', 'label']).default('full'),
  /** Where the source of this service can be had, for the page and the API to tell. Empty: nowhere. */
  SOURCE_URL: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).default(''),

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
