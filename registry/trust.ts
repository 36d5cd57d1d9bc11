import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublicKey, parsePublicKeys } from '../src/model/oms/public-keys.ts';
import type { BucketOptions } from './bucket.ts';
import { readSettings } from './environment.ts';
import { KEY_FOLDER, keyPaths, writeKeyPair } from './keygen.ts';
import { parseSigningKey, type SigningKey } from './keys.ts';

const DEVELOPMENT_KEYS = keyPaths(join(KEY_FOLDER, 'development'));

export interface DevelopmentKey extends SigningKey {
  readonly publicKeyPem: string;
}

/** The key that signs what only this machine serves. It is generated on first use. */
export async function developmentKey(): Promise<DevelopmentKey> {
  const { privateKeyPath, publicKeyPath } = DEVELOPMENT_KEYS;
  if (!existsSync(privateKeyPath)) await writeKeyPair(join(KEY_FOLDER, 'development'), 'P-256');
  const signing = await parseSigningKey(await readFile(privateKeyPath, 'utf8'));
  return { ...signing, publicKeyPem: await readFile(publicKeyPath, 'utf8') };
}

/**
 * The keys trusted by the Worker that serves this bucket: those in wrangler.toml and, on this machine, the development
 * key.
 *
 * @throws {InvalidPublicKey} there is none, or one is not valid
 */
export async function trustedKeys({ env, remote = false }: BucketOptions): Promise<readonly PublicKey[]> {
  const { publicKeyPath } = DEVELOPMENT_KEYS;
  const development = !remote && existsSync(publicKeyPath) ? await readFile(publicKeyPath, 'utf8') : '';
  return parsePublicKeys(`${readSettings(env).MODEL_PUBLIC_KEYS}\n${development}`);
}
