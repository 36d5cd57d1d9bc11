import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
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

/** `[[ratelimits]]` in wrangler.toml. */
const RateLimits = z.array(
  z.object({
    name: z.string(),
    namespace_id: z.string(),
    simple: z.object({ limit: z.number(), period: z.union([z.literal(10), z.literal(60)]) }),
  }),
);

const MAIN = 'index.js';
/** The Workers of a process, one for each isolate. */
const nameOf = (isolate: number) => `bench-${isolate}`;
const NAME = nameOf(0);

/** Bundles an entry as `wrangler deploy` does. */
export async function bundle(entry: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-bench-'));
  try {
    const command = ['deploy', entry, '--dry-run', '--outdir', folder];
    const env = { WRANGLER_SEND_METRICS: 'false' };
    await execa('wrangler', command, { cwd: ROOT, preferLocal: true, localDir: ROOT, env, timeout: 120_000 });
    const names = (await readdir(folder)).filter((name) => /\.(js|wasm)$/.test(name));
    const modules = names.map(async (name): Promise<[string, Module]> => {
      const contents = Uint8Array.from(await readFile(join(folder, name)));
      // wrangler names the main module after its source file.
      return name.endsWith('.js') ? [MAIN, { type: 'esm', contents }] : [name, { type: 'wasm', contents }];
    });
    return Object.fromEntries(await Promise.all(modules));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A local bucket with a model, by default the committed one, that a new key has signed. */
export interface Store {
  readonly folder: string;
  readonly publicKeyPem: string;
  /** The key that signed it. */
  readonly key: SigningKey;
  readonly release: Release;
  remove(): Promise<void>;
}

export async function createStore(version = RELEASE_FOLDER): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-bench-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const { privateKeyPem, publicKeyPem } = generateKeyPair('P-256');
    const key = await parseSigningKey(privateKeyPem);
    const release = await readRelease(version);
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

/** `pid` is the process that runs the isolates, and besides them only their local bucket. */
export interface Workerd extends Server {
  /** The address of the same Worker in a second isolate of the process, if there is one. */
  readonly second: string | undefined;
  /** The addresses of all isolates. */
  readonly urls: readonly string[];
  /** The address of V8's inspector, if enabled. */
  readonly inspector: string | undefined;
  /** Its bucket, accessed from this process. */
  bucket(): ReturnType<Miniflare['getR2Bucket']>;
  /** The current address and process: when workerd exits, another one replaces it. */
  current(): Promise<Pick<Workerd, 'url' | 'pid'>>;
  /** Reads every file of the model once, bypassing the Worker, to leave the local bucket's start-up out of a measurement. */
  warmBucket(): Promise<void>;
}

interface WorkerdOptions {
  readonly vars?: Readonly<Record<string, string>>;
  /** Whether to enable V8's inspector. */
  readonly inspect?: boolean;
  /** How many isolates run the Worker; all start with the process. */
  readonly isolates?: number;
  /** Called with each line that an isolate logs. */
  readonly onLog?: (line: string) => void;
  /** Whether wrangler.toml's rate limits apply. */
  readonly rateLimits?: boolean;
}

/**
 * Starts a fresh workerd process with this Worker: without assets, and without the proxies of `wrangler dev` and Miniflare.
 * It has not received a request yet.
 */
export async function startWorkerd(
  modules: Bundle,
  store: Store,
  { vars = {}, inspect = false, isolates = 1, rateLimits = false, onLog = () => {} }: WorkerdOptions = {},
): Promise<Workerd> {
  const config = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') });
  const { compatibility_date, compatibility_flags, r2_buckets, ratelimits } = config;
  const [bucket] = r2_buckets;
  if (!compatibility_date || !bucket) throw new Error('wrangler.toml has no compatibility date or no bucket');
  const texts = Object.entries({
    MODEL_PUBLIC_KEYS: store.publicKeyPem,
    RATE_LIMITS: rateLimits ? 'on' : 'off',
    ...vars,
  }).map(([name, value]) => [name, { type: 'text' as const, value }]);
  const counters = RateLimits.parse(rateLimits ? ratelimits : []).map(({ name, namespace_id, simple }) => [
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
        ...Object.fromEntries(texts),
        ...Object.fromEntries(counters),
        [bucket.binding]: { type: 'r2' as const, name: bucket.bucket_name },
      },
    },
    dev: { rootPath: ROOT, unsafeDirectSockets: [{ host: '127.0.0.1' }] },
  });
  const names = Array.from({ length: isolates }, (_, isolate) => nameOf(isolate));
  const before = childrenNamed('workerd');
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    ...(inspect ? { inspectorPort: 0 } : {}),
    cf: false,
    logRequests: false,
    handleStructuredLogs: ({ message }) => onLog(message),
    resourcePersistencePath: join(store.folder, 'v3'),
    workers: names.map(worker),
  });
  await miniflare.ready;
  const findPid = () => childrenNamed('workerd').find((child) => !before.includes(child)) ?? 0;
  const findUrl = async (name: string) => (await miniflare.unsafeGetDirectURL(name)).origin;
  const ownBucket = () => miniflare.getR2Bucket(bucket.binding, NAME);
  const urls = await Promise.all(names.map(findUrl));
  return {
    url: urls[0] ?? '',
    second: urls[1],
    urls,
    pid: findPid(),
    inspector: inspect ? `${(await miniflare.getInspectorURL()).origin}/core:user:${NAME}` : undefined,
    bucket: ownBucket,
    current: async () => ({ url: await findUrl(NAME), pid: findPid() }),
    async warmBucket() {
      const r2 = await ownBucket();
      const { version, files } = store.release;
      const keys = [...files.keys(), 'model.sig'].map((file) => modelKey(version, file));
      for (const key of [channelKey(DEFAULT_CHANNEL), ...keys]) await (await r2.get(key))?.arrayBuffer();
    },
    stop: () => miniflare.dispose(),
  };
}
