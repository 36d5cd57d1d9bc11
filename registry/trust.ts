import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublicKey, parsePublicKeys } from '../src/model/oms/public-keys.ts';
import type { BucketOptions } from './bucket.ts';
import { readEnvironment } from './environment.ts';
import { KEY_FOLDER, keyPaths, writeKeyPair } from './keygen.ts';
import { parseSigningKey, type SigningKey } from './keys.ts';

const DEVELOPMENT_KEYS = keyPaths(join(KEY_FOLDER, 'development'));

export interface DevelopmentKey extends SigningKey {
  readonly publicKeyPem: string;
}

/** The key that signs what is served on this machine only; made when it is first wanted. */
export async function developmentKey(): Promise<DevelopmentKey> {
  const { privateKeyPath, publicKeyPath } = DEVELOPMENT_KEYS;
  if (!existsSync(privateKeyPath)) await writeKeyPair(join(KEY_FOLDER, 'development'), 'P-256');
  const signing = await parseSigningKey(await readFile(privateKeyPath, 'utf8'));
  return { ...signing, publicKeyPem: await readFile(publicKeyPath, 'utf8') };
}

/** The version that wrangler.toml pins; undefined where it pins none. */
export function pinnedVersion({ env }: BucketOptions): string | undefined {
  return readEnvironment(env).vars.MODEL_VERSION || undefined;
}

/**
 * The keys that the Worker trusts which serves from this bucket: those of wrangler.toml and, on this machine, the
 * development key.
 *
 * @throws {Error} there is none
 */
export async function trustedKeys({ env, remote = false }: BucketOptions): Promise<readonly PublicKey[]> {
  const { publicKeyPath } = DEVELOPMENT_KEYS;
  const local = !remote && existsSync(publicKeyPath) ? await readFile(publicKeyPath, 'utf8') : '';
  return parsePublicKeys(`${readEnvironment(env).vars.MODEL_PUBLIC_KEYS}\n${local}`);
}
