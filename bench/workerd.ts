import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Miniflare } from 'miniflare';
import { unstable_readConfig } from 'wrangler';
import * as z from 'zod';
import { withBucket } from '../registry/bucket.ts';
import { DEFAULT_CHANNEL } from '../registry/command.ts';
import { generateKeyPair, parseSigningKey, type SigningKey } from '../registry/keys.ts';
import { publish } from '../registry/publish.ts';
import { RELEASE_FOLDER, type Release, readRelease } from '../registry/release.ts';
import { createSignature } from '../registry/sign.ts';
import { channelKey, modelKey } from '../src/model/layout.ts';
import { childrenNamed } from './cpu.ts';
import { ROOT, type Server } from './processes.ts';

type Module = { readonly type: 'esm' | 'wasm'; readonly contents: Uint8Array<ArrayBuffer> };

/** A bundled Worker, by the names of its modules. */
export type Bundle = Readonly<Record<string, Module>>;

/** What wrangler.toml says under `[[ratelimits]]`. */
const Counters = z.array(
  z.object({
    name: z.string(),
    namespace_id: z.string(),
    simple: z.object({ limit: z.number(), period: z.union([z.literal(10), z.literal(60)]) }),
  }),
);

const MAIN = 'index.js';
const NAME = 'bench';
const SECOND = 'second';
const TIMEOUT = 120_000;

/** Bundles an entry as `wrangler deploy` would, and uploads nothing. */
export async function bundle(entry: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-bench-'));
  try {
    await runWrangler(['deploy', entry, '--dry-run', '--outdir', folder]);
    const names = (await readdir(folder)).filter((name) => /\.(js|wasm)$/.test(name));
    const modules = names.map(async (name): Promise<[string, Module]> => {
      const contents = Uint8Array.from(await readFile(join(folder, name)));
      // wrangler calls the main module by its source's name.
      return name.endsWith('.js') ? [MAIN, { type: 'esm', contents }] : [name, { type: 'wasm', contents }];
    });
    return Object.fromEntries(await Promise.all(modules));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs one of wrangler's commands that end by themselves. @throws {Error} with what it has printed, when it fails */
export function runWrangler(args: readonly string[]): Promise<void> {
  const packageFile = createRequire(import.meta.url).resolve('wrangler/package.json');
  const program = join(dirname(packageFile), 'bin', 'wrangler.js');
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' };
  const options = { cwd: ROOT, stdio: 'pipe', env, timeout: TIMEOUT } as const;
  const child = spawn(process.execPath, [program, ...args], options);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(output))));
  });
}

/** A local bucket with the committed model in it, signed by a key made for the occasion. */
export interface Store {
  readonly folder: string;
  readonly publicKeyPem: string;
  /** What its versions are signed with. */
  readonly key: SigningKey;
  readonly release: Release;
  remove(): Promise<void>;
}

export async function createStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-bench-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const { privateKeyPem, publicKeyPem } = generateKeyPair('P-256');
    const key = await parseSigningKey(privateKeyPem);
    const release = await readRelease(RELEASE_FOLDER);
    const signature = createSignature(release, key);
    await withBucket({ persistTo: folder }, (bucket) =>
      publish(bucket, release, signature, [key.publicKey], DEFAULT_CHANNEL),
    );
    return { folder, publicKeyPem, key, release, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** `pid` is the process that the isolates run in, and nothing else but their local bucket. */
export interface Workerd extends Server {
  /** The same Worker in a second isolate of the same process, where one was asked for. */
  readonly second: string | undefined;
  /** Where its V8 can be asked how much memory it uses. */
  readonly inspector: string | undefined;
  /** Its bucket, reached through this process. */
  bucket(): ReturnType<Miniflare['getR2Bucket']>;
  /** Where the Worker is now, and in which process: when workerd ends by itself, another one is started. */
  current(): Promise<Pick<Workerd, 'url' | 'pid'>>;
  /** Reads every file of the model once, past the Worker, so that the local bucket's own start is not measured. */
  warmBucket(): Promise<void>;
}

export interface WorkerdOptions {
  readonly vars?: Readonly<Record<string, string>>;
  /** Whether V8 can be asked. */
  readonly inspect?: boolean;
  /** How many isolates have the Worker, each for itself; all of them are there from the start. */
  readonly isolates?: 1 | 2;
  /** Whether photos are counted, as wrangler.toml says. */
  readonly rateLimits?: boolean;
}

/**
 * A fresh workerd process with this Worker in it: no proxy before it, neither that of `wrangler dev` nor miniflare's, and
 * no assets. It has not been asked anything yet.
 */
export async function startWorkerd(
  modules: Bundle,
  store: Store,
  { vars = {}, inspect = false, isolates = 1, rateLimits = false }: WorkerdOptions = {},
): Promise<Workerd> {
  const config = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') });
  const { compatibility_date, compatibility_flags, r2_buckets, ratelimits } = config;
  const [bucket] = r2_buckets;
  if (!compatibility_date || !bucket) throw new Error('wrangler.toml has no compatibility date or no bucket');
  const texts = Object.entries({
    MODEL_PUBLIC_KEYS: store.publicKeyPem,
    RATE_LIMITS: rateLimits ? 'on' : 'off',
    ...vars,
  });
  const env = Object.fromEntries(texts.map(([name, value]) => [name, { type: 'text' as const, value }]));
  const counters = Counters.parse(ratelimits).map(({ name, namespace_id, simple }) => [
    name,
    { type: 'rate-limit' as const, namespace: namespace_id, simple },
  ]);
  const worker = (name: string) => ({
    config: {
      name,
      compatibilityDate: compatibility_date,
      compatibilityFlags: compatibility_flags,
      manifest: { mainModule: MAIN, modules: { ...modules } },
      env: {
        ...env,
        ...(rateLimits ? Object.fromEntries(counters) : {}),
        [bucket.binding]: { type: 'r2' as const, name: bucket.bucket_name },
      },
    },
    dev: { rootPath: ROOT, unsafeDirectSockets: [{ host: '127.0.0.1' }] },
  });
  const before = childrenNamed('workerd');
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    ...(inspect ? { inspectorPort: 0 } : {}),
    cf: false,
    logRequests: false,
    handleStructuredLogs: () => {},
    resourcePersistencePath: join(store.folder, 'v3'),
    workers: isolates === 1 ? [worker(NAME)] : [worker(NAME), worker(SECOND)],
  });
  await miniflare.ready;
  const pidNow = () => childrenNamed('workerd').find((child) => !before.includes(child)) ?? 0;
  const addressOf = async (name: string) => (await miniflare.unsafeGetDirectURL(name)).origin;
  const ownBucket = () => miniflare.getR2Bucket(bucket.binding, NAME);
  const warmBucket = async () => {
    const r2 = await ownBucket();
    const { version, files } = store.release;
    const keys = [...files.keys(), 'model.sig'].map((file) => modelKey(version, file));
    for (const key of [channelKey(DEFAULT_CHANNEL), ...keys]) await (await r2.get(key))?.arrayBuffer();
  };
  return {
    url: await addressOf(NAME),
    second: isolates === 1 ? undefined : await addressOf(SECOND),
    pid: pidNow(),
    inspector: inspect ? `${(await miniflare.getInspectorURL()).origin}/core:user:${NAME}` : undefined,
    bucket: ownBucket,
    current: async () => ({ url: await addressOf(NAME), pid: pidNow() }),
    warmBucket,
    stop: () => miniflare.dispose(),
  };
}
