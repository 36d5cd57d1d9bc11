import type { R2Bucket, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod';

/** The bindings and variables that wrangler.toml gives the Worker. */
export interface Env {
  readonly MODELS: R2Bucket;
  /** Counts photos over the short window. */
  readonly BURST?: RateLimit;
  /** Counts photos over the long window. */
  readonly SUSTAINED?: RateLimit;
}

/** What a setting is: the table in docs/operations.md is made of this by `npm run docs:config`. */
export interface SettingInfo {
  readonly about: string;
  readonly unit?: 'bytes' | 'ms' | 's' | 'photos';
}

/** The descriptions of the settings, by their schemas. */
export const settingInfo = z.registry<SettingInfo>();

const integer = z.coerce.number().int();

const bytes = (default_: number, about: string) =>
  integer.min(1).max(128_000_000).default(default_).register(settingInfo, { about, unit: 'bytes' });
const milliseconds = (default_: number, about: string) =>
  integer.min(0).max(600_000).default(default_).register(settingInfo, { about, unit: 'ms' });
const photos = (default_: number, about: string) =>
  integer.min(1).max(10_000).default(default_).register(settingInfo, { about, unit: 'photos' });

/** The windows that the platform's rate limit knows, in seconds. */
const window = (default_: 10 | 60, about: string) =>
  z.coerce
    .number()
    .pipe(z.union([z.literal(10), z.literal(60)]))
    .default(default_)
    .register(settingInfo, { about, unit: 's' });

/** Words separated by spaces or commas. */
const words = <T extends z.ZodType<unknown, string>>(word: T, about: string) =>
  z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((each) => each !== ''))
    .pipe(z.array(word))
    .register(settingInfo, { about });

/** Whether the text is an origin just as browsers write it, such as `https://example.org`. */
const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;

/**
 * Every setting and every limit, with its default and what it is for. A variable of the same name under `[vars]` in
 * wrangler.toml overrides it.
 */
export const Settings = z.object({
  MODEL_CHANNEL: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .default('production')
    .register(settingInfo, {
      about: 'Which pointer in R2 (`channels/<channel>.json`) names the version to serve.',
    }),
  MODEL_VERSION: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .default('')
    .register(settingInfo, {
      about:
        'Pins one version (all 64 hex digits of it): then the channel is ignored. Empty: none is pinned.',
    }),
  MODEL_PUBLIC_KEYS: z.string().default('').register(settingInfo, {
    about:
      'The keys whose signature makes a model trusted: PEM blocks, one after the other. Empty: no model is served.',
  }),
  MODEL_REFRESH: milliseconds(60_000, 'How often an isolate looks whether the channel has moved.'),
  MAX_MANIFEST_BYTES: bytes(1_000_000, 'Largest manifest that is read.'),
  MAX_MODEL_BYTES: bytes(
    32_000_000,
    'Largest model that is read: it is fetched into the isolate’s memory and copied into ONNX Runtime’s.',
  ),
  MODEL_LOAD_TIMEOUT: milliseconds(
    20_000,
    'How long fetching and starting a model may take before a request gives up on it.',
  ),

  MAX_BODY_BYTES: bytes(20_000_000, 'Largest request body on `/api/predict`.'),
  MAX_BODY_BYTES_HUSKYAI: bytes(10_000_000, 'Largest request body on `/huskyai/`: the original’s limit.'),
  MAX_BATCH_PHOTOS: photos(16, 'The most photos that one request to `/api/predict` may carry.'),
  MEMORY_WAIT: milliseconds(
    3_000,
    'How long a photo waits for a place in memory before it is answered with 503 `overloaded`.',
  ),
  UPLOAD_TIMEOUT: milliseconds(60_000, 'How long an upload may take.'),
  UPLOAD_IDLE_TIMEOUT: milliseconds(
    10_000,
    'How long an upload may stand still; a request that has vanished frees its place in memory after this time.',
  ),

  RATE_LIMITS: z.enum(['on', 'off']).default('on').register(settingInfo, {
    about:
      '`off` lets everybody send as many photos as they like: for fuzzing, benchmarks and soak runs on one’s own machine. Only photos are limited, never questions about the model or the pages.',
  }),
  // What counts is [[ratelimits]] in wrangler.toml; the Worker cannot read it there and tells clients these numbers.
  BURST_PHOTOS: photos(
    20,
    'How many photos one address, and one token, may send in the short window. Change `[[ratelimits]]` with it.',
  ),
  BURST_SECONDS: window(10, 'The short window: 10 or 60.'),
  SUSTAINED_PHOTOS: photos(60, 'The same in the long window.'),
  SUSTAINED_SECONDS: window(60, 'The long window: 10 or 60.'),
  API_TOKENS: words(
    z.string().regex(/^[0-9a-f]{64}$/),
    'The bearer tokens that may ask for predictions: the SHA-256 of each in hex, separated by spaces or commas. Empty: everybody may.',
  ),
  CORS_ORIGINS: words(
    z.union([z.literal('*'), z.string().refine(isOrigin, 'not an origin')]),
    'The origins whose pages may call the API, separated by spaces or commas; `*` for all. Empty: only its own.',
  ),
  SCORES: z.enum(['full', 'rounded', 'label']).default('full').register(settingInfo, {
    about:
      'How much of the score is given out: `full` (six decimals), `rounded` (two), or the `label` alone. What that costs an attacker is in the [threat model](threat-model.md#asking-until-it-gives-way).',
  }),
  SOURCE_URL: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .default('')
    .register(settingInfo, {
      about:
        'Where the source of this service can be had, for the page and the API to tell. Empty: they do not say.',
    }),

  ISOLATE_MEMORY_BYTES: bytes(
    120_000_000,
    'What the isolate may use in all. The platform kills it at 128 MiB (134,217,728 bytes), and not all garbage is collected at once.',
  ),
  MODEL_MEMORY_BYTES: bytes(
    52_000_000,
    'What ONNX Runtime takes with a model; reckoned with before it has started, and as it is when it is more.',
  ),
  BASELINE_MEMORY_BYTES: bytes(
    8_000_000,
    'What the Worker’s own code and data take, ONNX Runtime, decoders and photos apart; `npm run bench -- memory` measures it.',
  ),
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
