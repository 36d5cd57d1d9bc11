/**
 * `npm start -- [--model FOLDER] [--port N] [--https] [any option of wrangler dev]`
 *
 * Serves the model in a folder, by default the committed one: signs it with a key of this machine, publishes it to the
 * local bucket unless it is there, points the local channel at it, starts `wrangler dev` and prints the address.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withBucket } from '../registry/bucket.ts';
import { DEFAULT_CHANNEL, runCommand } from '../registry/command.ts';
import { readSettings } from '../registry/environment.ts';
import { publish } from '../registry/publish.ts';
import { RELEASE_FOLDER, readRelease } from '../registry/release.ts';
import { createSignature } from '../registry/sign.ts';
import { type DevelopmentKey, developmentKey } from '../registry/trust.ts';
import { freePort, spawnWranglerDev, untilAnswers, untilReady } from './wrangler-dev.ts';

const DEFAULT_PORT = 8787;
/** Long, in milliseconds: someone is watching, and Ctrl-C ends it. */
const PATIENCE = 600_000;

interface StartOptions {
  readonly model: string;
  readonly port: number;
  readonly https: boolean;
  readonly persistTo: string | undefined;
  readonly passedOn: readonly string[];
}

async function readOptions(args: readonly string[]): Promise<StartOptions> {
  const { values, tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: {
      model: { type: 'string' },
      port: { type: 'string' },
      https: { type: 'boolean' },
      'persist-to': { type: 'string' },
    },
  });
  const own = new Set(['model', 'port', 'https']);
  const taken = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== 'option' || !own.has(token.name)) continue;
    taken.add(token.index);
    if (token.value !== undefined && !token.inlineValue) taken.add(token.index + 1);
  }
  const persistTo = values['persist-to'];
  return {
    model: values.model === undefined ? RELEASE_FOLDER : checkModel(values.model),
    port: values.port === undefined ? await freePort(DEFAULT_PORT) : await checkPort(values.port),
    https: values.https === true,
    persistTo: typeof persistTo === 'string' ? persistTo : undefined,
    passedOn: args.filter((_, index) => !taken.has(index)),
  };
}

/** @throws {Error} it is not a folder with a version */
function checkModel(value: string | boolean): string {
  // Without a value, the option is `true`, or takes the next one for its value.
  if (typeof value !== 'string' || value.startsWith('-')) {
    throw new Error('--model takes the folder of a converted model');
  }
  if (existsSync(join(value, 'manifest.json'))) return value;
  throw new Error(`${value} has no manifest.json: convert a model first, with npm run model:convert`);
}

/** @throws {Error} it is not a port, or nothing can listen on it */
async function checkPort(value: string | boolean): Promise<number> {
  // Without a value, the option is `true`.
  const port = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : 0;
  if (port < 1 || port > 65_535) throw new Error('--port takes a number from 1 to 65535');
  if ((await freePort(port)) !== port)
    throw new Error(`port ${port} is in use or not permitted: choose another --port, or leave it out`);
  return port;
}

/** Signs the version with the development key and publishes it, as far as that was not done before. */
async function publishModel(folder: string, key: DevelopmentKey, persistTo: string | undefined): Promise<void> {
  const release = await readRelease(folder);
  const { name } = release.manifest;
  await withBucket({ persistTo }, async (bucket) => {
    const signature = createSignature(release, key);
    const { written, moved } = await publish(bucket, release, signature, [key.publicKey], DEFAULT_CHANNEL);
    if (written.length > 0) console.log(`Signed ${name} and published it to the local bucket.`);
    else if (moved) console.log(`Serving ${name} again.`);
  });
}

async function main(): Promise<void> {
  const { model, port, https, persistTo, passedOn } = await readOptions(process.argv.slice(2));
  // wrangler would report a bad setting too, but only after the model is published.
  readSettings();
  const key = await developmentKey();
  await publishModel(model, key, persistTo);
  const trusted = ['--var', `MODEL_PUBLIC_KEYS:${key.publicKeyPem}`];
  const protocol = https ? ['--local-protocol', 'https'] : [];
  const dev = spawnWranglerDev(port, [...protocol, ...trusted, ...passedOn], 'inherit');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => dev.kill(signal));
  dev.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1);
  });
  await untilReady(dev);
  const scheme = https ? 'https' : 'http';
  await untilAnswers(`${scheme}://127.0.0.1:${port}/api/health`, dev, PATIENCE);
  console.log(`\n  Husky AI: ${scheme}://localhost:${port}\n`);
}

runCommand(main);
