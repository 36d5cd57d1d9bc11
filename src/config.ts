import * as z from 'zod';

/** What `npm run docs:config` writes into the table of docs/operations.md. */
export interface SettingInfo {
  readonly about: string;
  readonly unit?: 'bytes' | 'bytes/s' | 'ms' | 's' | 'photos' | 'bodies';
}

/** The description of each setting, by its schema. */
export const settingInfo = z.registry<SettingInfo>();

const integer = z.coerce.number().int();

const quantity =
  (unit: Exclude<SettingInfo['unit'], undefined>, min: number, max: number) => (default_: number, about: string) =>
    integer.min(min).max(max).default(default_).register(settingInfo, { about, unit });
const bytes = quantity('bytes', 1, 128_000_000);
const milliseconds = quantity('ms', 0, 600_000);
const photos = quantity('photos', 1, 10_000);
const bodies = quantity('bodies', 1, 10_000);
const bytesPerSecond = quantity('bytes/s', 0, 128_000_000);

/** The windows that the platform's rate limiter offers, in seconds. */
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

/** Whether the text is an origin as browsers send it, such as `https://example.org`. */
const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;

/**
 * Every setting and every limit, with its default and its purpose. A variable of the same name under `[vars]` in
 * wrangler.toml overrides it.
 */
export const Settings = z.object({
  MODEL_CHANNEL: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .default('production')
    .register(settingInfo, {
      about: 'The pointer in R2 (`channels/<channel>.json`) that names the version to serve.',
    }),
  MODEL_VERSION: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .default('')
    .register(settingInfo, {
      about: 'Pins one version (all 64 hex digits) and ignores the channel. Empty: no pin.',
    }),
  MODEL_PUBLIC_KEYS: z.string().default('').register(settingInfo, {
    about: 'The public keys that may sign models, as concatenated PEM blocks. Empty: no model is served.',
  }),
  MODEL_REFRESH: milliseconds(60_000, 'How often an isolate checks whether the channel has moved.'),
  MAX_MANIFEST_BYTES: bytes(1_000_000, 'Largest manifest.'),
  MAX_MODEL_BYTES: bytes(
    40_000_000,
    'Largest network: the graph, and the weights as float32. The isolate holds it in memory while it copies it into ONNX Runtime.',
  ),
  MAX_MODEL_MEMORY_BYTES: bytes(
    64_000_000,
    'Most memory that ONNX Runtime may take with a model, as the manifest reports it. As much is set aside until the manifest has arrived.',
  ),
  MODEL_LOAD_TIMEOUT: milliseconds(20_000, 'How long a request waits for the model to load.'),

  MAX_BODY_BYTES: bytes(20_000_000, 'Largest request body on `/api/predict`.'),
  MAX_BODY_BYTES_HUSKYAI: bytes(10_000_000, 'Largest request body on `/huskyai/`: the original’s limit.'),
  MAX_BATCH_PHOTOS: photos(16, 'Most photos in one request to `/api/predict`.'),
  MAX_DECODE_MS: milliseconds(
    1_500,
    'Longest estimated decoding of one photo, as CPU time on the benchmark machine. A longer one gets 413. One that lasts over a third of this counts as two for the rate limits, over two thirds as three.',
  ),
  MAX_REQUEST_DECODE_MS: milliseconds(
    6_000,
    'Longest estimated decoding of all photos of a request. The photos after that get 413.',
  ),
  MEMORY_WAIT: milliseconds(
    3_000,
    'How long a photo waits for free memory before the service answers 503 `overloaded`.',
  ),
  UPLOAD_TIMEOUT: milliseconds(60_000, 'How long an upload may take.'),
  UPLOAD_IDLE_TIMEOUT: milliseconds(
    10_000,
    'How long an upload may stall. The memory of an abandoned request is freed after this time.',
  ),
  MIN_UPLOAD_RATE: bytesPerSecond(
    1_000,
    'The slowest upload, measured over `UPLOAD_GRACE`. An upload that takes memory which others need must also be fast enough to fill it within `UPLOAD_TIMEOUT`.',
  ),
  UPLOAD_GRACE: milliseconds(10_000, 'How long an upload may take before `MIN_UPLOAD_RATE` applies to it.'),

  RATE_LIMITS: z.enum(['on', 'off']).default('on').register(settingInfo, {
    about:
      '`off` removes the limits on photos and `MAX_BODIES_PER_ADDRESS`, for tests and benchmarks on your own machine. Other requests are never limited.',
  }),
  // [[ratelimits]] in wrangler.toml sets the real limits. The Worker cannot read them, so it reports these to clients.
  BURST_PHOTOS: photos(
    20,
    'How many photos one address or token may send in the short window. Change `[[ratelimits]]` with it.',
  ),
  BURST_SECONDS: window(10, 'The short window: 10 or 60.'),
  SUSTAINED_PHOTOS: photos(60, 'The same in the long window.'),
  SUSTAINED_SECONDS: window(60, 'The long window: 10 or 60.'),
  MAX_BODIES_PER_ADDRESS: bodies(
    4,
    'How many uploads of one address an isolate receives at the same time. The page sends three at once.',
  ),
  API_TOKENS: words(
    z.string().regex(/^[0-9a-f]{64}$/),
    'The bearer tokens that may request predictions: the SHA-256 of each in hex, separated by spaces or commas. Empty: no token is needed.',
  ),
  CORS_ORIGINS: words(
    z.union([z.literal('*'), z.string().refine(isOrigin, 'not an origin')]),
    'The origins whose pages may call the API, separated by spaces or commas; `*` for all. Empty: only the service’s own.',
  ),
  SCORES: z.enum(['full', 'rounded', 'label']).default('full').register(settingInfo, {
    about:
      'How much of the score clients see: `full` (six decimals), `rounded` (two), or the `label` alone. The [threat model](threat-model.md#query-attacks) says what each reveals to an attacker.',
  }),
  ANSWER_LOG: z.enum(['off', 'on']).default('off').register(settingInfo, {
    about:
      '`on` logs what is [counted](privacy.md#counting-answers) of each answer, for `npm run model:watch -- --log FILE`.',
  }),
  SOURCE_URL: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .default('')
    .register(settingInfo, {
      about: 'A link to the source code of this service, shown by the page and the API. Empty: no link.',
    }),

  ISOLATE_MEMORY_BYTES: bytes(
    102_000_000,
    'Memory that the isolate may use in all. The platform kills it at 128 MiB (134,217,728 bytes); the rest is a margin for garbage.',
  ),
  BASELINE_MEMORY_BYTES: bytes(
    8_000_000,
    'Memory of the Worker’s own code and data, without ONNX Runtime, decoders and photos. `npm run bench -- memory` measures it.',
  ),
});

export type Config = Readonly<z.infer<typeof Settings>>;

/** A variable in wrangler.toml is not valid. The message names it. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
}

/**
 * The settings in these variables, with defaults for the missing ones.
 *
 * @throws {InvalidConfig} a variable is not valid; the message names each of them, never its value
 */
export function parseConfig(variables: unknown): Config {
  const parsed = Settings.safeParse(variables);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path[0]?.toString()}: ${message}`);
  throw new InvalidConfig(`Invalid settings in wrangler.toml:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}
