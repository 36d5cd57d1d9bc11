import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Miniflare } from 'miniflare';
import { unstable_readConfig } from 'wrangler';
import { withBucket } from '../convert/bucket.ts';
import { DEFAULT_CHANNEL } from '../convert/command.ts';
import { generateKeyPair, parseSigningKey } from '../convert/keys.ts';
import { publish } from '../convert/publish.ts';
import { RELEASE_FOLDER, type Release, readRelease } from '../convert/release.ts';
import { createSignature } from '../convert/sign.ts';
import { channelKey, modelKey } from '../src/model/layout.ts';
import { ROOT, type Service } from './processes.ts';

type Module = { readonly type: 'esm' | 'wasm'; readonly contents: Uint8Array<ArrayBuffer> };

/** A bundled Worker, by the names of its modules. */
export type Bundle = Readonly<Record<string, Module>>;

const MAIN = 'index.js';
const NAME = 'bench';
const BUILD_TIMEOUT = 120_000;

/** Bundles an entry as `wrangler deploy` would, and uploads nothing. */
export async function bundle(entry: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-bench-'));
  try {
    const wrangler = createRequire(import.meta.url).resolve('wrangler/package.json');
    const args = ['deploy', entry, '--dry-run', '--outdir', folder];
    await runQuietly([join(dirname(wrangler), 'bin', 'wrangler.js'), ...args]);
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

function runQuietly(args: readonly string[]): Promise<void> {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'pipe', env, timeout: BUILD_TIMEOUT });
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
    return { folder, publicKeyPem, release, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

export interface Workerd extends Service {
  /** Where its V8 can be asked how much memory it uses. */
  readonly inspector: string | undefined;
  /** Reads every file of the model once, past the Worker, so that the local bucket's own start is not measured. */
  warmBucket(): Promise<void>;
}

/**
 * A fresh workerd process with this Worker in it: no proxy of `wrangler dev` before it and no assets. It has not
 * been asked anything yet.
 */
export async function startWorkerd(
  modules: Bundle,
  store: Store,
  { vars = {}, inspect = false }: { vars?: Record<string, string>; inspect?: boolean } = {},
): Promise<Workerd> {
  const { compatibility_date, r2_buckets } = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') });
  const [bucket] = r2_buckets;
  if (!compatibility_date || !bucket) throw new Error('wrangler.toml has no compatibility date or no bucket');
  const texts = Object.entries({ MODEL_PUBLIC_KEYS: store.publicKeyPem, RATE_LIMITS: 'off', ...vars });
  const env = Object.fromEntries(texts.map(([name, value]) => [name, { type: 'text' as const, value }]));
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    ...(inspect ? { inspectorPort: 0 } : {}),
    cf: false,
    logRequests: false,
    handleStructuredLogs: () => {},
    resourcePersistencePath: join(store.folder, 'v3'),
    workers: [
      {
        config: {
          name: NAME,
          compatibilityDate: compatibility_date,
          manifest: { mainModule: MAIN, modules: { ...modules } },
          env: { ...env, [bucket.binding]: { type: 'r2', name: bucket.bucket_name } },
        },
        dev: { rootPath: ROOT },
      },
    ],
  });
  const { origin } = await miniflare.ready;
  const warmBucket = async () => {
    const r2 = await miniflare.getR2Bucket(bucket.binding, NAME);
    const { version, files } = store.release;
    const keys = [...files.keys(), 'model.sig'].map((file) => modelKey(version, file));
    for (const key of [channelKey(DEFAULT_CHANNEL), ...keys]) await (await r2.get(key))?.arrayBuffer();
  };
  const inspector = inspect ? `${(await miniflare.getInspectorURL()).origin}/core:user:${NAME}` : undefined;
  return { url: origin, inspector, warmBucket, stop: () => miniflare.dispose() };
}
