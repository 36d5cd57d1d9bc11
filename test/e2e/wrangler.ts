import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { withBucket } from '../../registry/bucket.ts';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { generateKeyPair, parseSigningKey } from '../../registry/keys.ts';
import { publish } from '../../registry/publish.ts';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { createSignature } from '../../registry/sign.ts';
import { freePort, spawnWranglerDev, untilAnswers } from '../../scripts/wrangler-dev.ts';
import type { PublicKey } from '../../src/model/oms/public-keys.ts';
import { type TinyModel, tinyRelease } from './page-models.ts';

export interface WorkerOptions {
  /** A tiny model to publish before the start, in place of `release`. */
  readonly model?: TinyModel;
  /** The folder of the version to publish before the start; null for none. Default: the committed version. */
  readonly release?: string | null;
  /** Variables that override those of wrangler.toml. Rate limits are off unless a variable turns them on. */
  readonly vars?: Readonly<Record<string, string | number>>;
  /** The entry in place of src/index.ts. */
  readonly entry?: string;
  /** The configuration in place of wrangler.toml. */
  readonly config?: string;
}

export interface RunningWorker {
  readonly url: string;
  /** The folder of its bucket and all other local state. */
  readonly folder: string;
  /** The output of `wrangler dev` so far. */
  logs(): string;
  /** Gives access to the bucket of the running Worker. */
  bucket<T>(use: (bucket: R2Bucket) => Promise<T>): Promise<T>;
  /** Signs a version with the key that this Worker trusts, and publishes it: to the bucket that is given, if it is open. */
  publish(folder: string, open?: R2Bucket): Promise<void>;
  /** The keys that this Worker trusts. */
  readonly keys: readonly PublicKey[];
  stop(): Promise<void>;
}

/**
 * Starts `wrangler dev` with its own bucket on a free port of 127.0.0.1.
 *
 * @throws {Error} it does not start; the message contains its output
 */
export async function startWorker(options: WorkerOptions = {}): Promise<RunningWorker> {
  const persistTo = await mkdtemp(join(tmpdir(), 'husky-ai-test-'));
  const bucket: RunningWorker['bucket'] = (use) => withBucket({ persistTo }, use);
  const { privateKeyPem, publicKeyPem } = generateKeyPair('P-256');
  const key = await parseSigningKey(privateKeyPem);
  const publishRelease = async (folder: string, open?: R2Bucket) => {
    const release = await readRelease(folder);
    const signature = createSignature(release, key);
    const put = async (r2: R2Bucket) => {
      await publish(r2, release, signature, [key.publicKey], DEFAULT_CHANNEL);
    };
    await (open ? put(open) : bucket(put));
  };
  if (options.model) {
    const folder = await tinyRelease(options.model);
    await publishRelease(folder);
    await rm(folder, { recursive: true });
  } else if (options.release !== null) await publishRelease(options.release ?? RELEASE_FOLDER);
  const port = await freePort();
  const vars = Object.entries({
    MODEL_PUBLIC_KEYS: publicKeyPem,
    RATE_LIMITS: 'off',
    ...options.vars,
  }).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
  const config = options.config ? ['--config', options.config] : [];
  const args = [...(options.entry ? [options.entry] : []), ...config, '--persist-to', persistTo, ...vars];
  const dev = spawnWranglerDev(port, args, 'pipe');
  let logs = '';
  for (const stream of [dev.stdout, dev.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      logs += text;
    });
  }
  const ended = new Promise<void>((resolve) => dev.once('exit', () => resolve()));
  const stop = async () => {
    if (dev.exitCode === null && dev.signalCode === null) dev.kill('SIGTERM');
    await ended;
    await rm(persistTo, { recursive: true, force: true, maxRetries: 5 });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilAnswers(`${url}/api/health`, dev);
  } catch (error) {
    await stop();
    throw new Error(`wrangler dev did not start:\n${logs}`, { cause: error });
  }
  return {
    url,
    folder: persistTo,
    logs: () => logs,
    bucket,
    publish: publishRelease,
    keys: [key.publicKey],
    stop,
  };
}
