import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type PublicKey, parsePublicKeys } from '../src/model/oms/public-keys.ts';
import type { BucketOptions } from './bucket.ts';
import { readSettings } from './environment.ts';
import { KEY_FOLDER, keyPaths, writeKeyPair } from './keygen.ts';
import { parseSigningKey, type SigningKey } from './keys.ts';

const DEVELOPMENT_KEYS = keyPaths(join(KEY_FOLDER, 'development'));

export interface DevelopmentKey extends SigningKey {
  readonly publicKeyPem: string;
}

/**
 * The key that signs what only this machine serves. It is generated on first use.
 *
 * @throws {Error} one of its files is not a key; the message names it
 */
export async function developmentKey(): Promise<DevelopmentKey> {
  const { privateKeyPath, publicKeyPath } = DEVELOPMENT_KEYS;
  if (!existsSync(privateKeyPath)) await writeKeyPair(join(KEY_FOLDER, 'development'), 'P-256');
  const [, signing] = await readKeyFile(privateKeyPath, parseSigningKey);
  const [publicKeyPem] = await readKeyFile(publicKeyPath, parsePublicKeys);
  return { ...signing, publicKeyPem };
}

/**
 * The text of a key file, and what it parses to.
 *
 * @throws {Error} it cannot be parsed; the message names the file
 */
async function readKeyFile<T>(path: string, parse: (pem: string) => Promise<T>): Promise<[string, T]> {
  const pem = await readFile(path, 'utf8');
  try {
    return [pem, await parse(pem)];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path}: ${reason} Delete ${dirname(path)} and run npm start to create a new pair.`, { cause });
  }
}

/**
 * The keys trusted by the Worker that serves this bucket: those in wrangler.toml and, on this machine, the development
 * key.
 *
 * @throws {InvalidPublicKey} there is none, or one is not valid
 * @throws {Error} the development key is not valid; the message names its file
 */
export async function trustedKeys({ env, remote = false }: BucketOptions): Promise<readonly PublicKey[]> {
  const { publicKeyPath } = DEVELOPMENT_KEYS;
  const [development] = !remote && existsSync(publicKeyPath) ? await readKeyFile(publicKeyPath, parsePublicKeys) : [''];
  return parsePublicKeys(`${readSettings(env).MODEL_PUBLIC_KEYS}\n${development}`);
}
