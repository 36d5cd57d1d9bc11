/**
 * `npm run model:keygen -- [--out FOLDER] [--curve P-256|P-384]`
 *
 * Makes a pair of keys that sign models. Overwrites nothing.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CURVES, type CurveName } from '../src/model/oms/curves.ts';
import { parsePublicKeys } from '../src/model/oms/public-keys.ts';
import { runCommand } from './command.ts';
import { generateKeyPair } from './keys.ts';

/** Where keys go unless told otherwise. */
export const KEY_FOLDER = '.keys';

export interface KeyFiles {
  readonly privateKeyPath: string;
  readonly publicKeyPath: string;
  readonly publicKeyPem: string;
  /** SHA-256 of the public key in DER, 64 hex digits. */
  readonly fingerprint: string;
}

/** The paths of a pair of keys in this folder. */
export function keyPaths(folder: string): { privateKeyPath: string; publicKeyPath: string } {
  return {
    privateKeyPath: join(folder, 'model-signing.pem'),
    publicKeyPath: join(folder, 'model-signing.pub.pem'),
  };
}

/**
 * Writes a new pair of keys; only the owner may read the private one. A folder that this makes is closed to others
 * and tells git to ignore all that is in it.
 *
 * @throws {Error} one of the files is there already: then nothing is changed
 */
export async function writeKeyPair(folder: string, curve: CurveName): Promise<KeyFiles> {
  const { privateKeyPem, publicKeyPem } = generateKeyPair(curve);
  const [publicKey] = await parsePublicKeys(publicKeyPem);
  if (!publicKey) throw new Error('No key was made.');
  const { privateKeyPath, publicKeyPath } = keyPaths(folder);

  if (await mkdir(folder, { recursive: true, mode: 0o700 })) {
    await writeFile(join(folder, '.gitignore'), '*\n');
  }
  await writeNew(publicKeyPath, publicKeyPem, 0o644);
  try {
    await writeNew(privateKeyPath, privateKeyPem, 0o600);
  } catch (error) {
    // Without its private half it is of no use, and it is known to be ours.
    await rm(publicKeyPath);
    throw error;
  }
  return { privateKeyPath, publicKeyPath, publicKeyPem, fingerprint: publicKey.fingerprint };
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new Error(`${path} is there already. Keys are never overwritten: name another --out.`);
    }
    throw error;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: KEY_FOLDER }, curve: { type: 'string', default: 'P-256' } },
  });
  const curve = CURVES.find(({ name }) => name === values.curve);
  if (!curve) throw new Error(`--curve takes ${CURVES.map(({ name }) => name).join(' or ')}`);
  const files = await writeKeyPair(values.out, curve.name);
  console.log(`A new key on ${curve.name}, fingerprint ${files.fingerprint}`);
  console.log(`  ${files.privateKeyPath}  signs: npm run model:sign -- --key ${files.privateKeyPath}`);
  console.log(
    '    Who has it can sign any model. Keep it out of the repository, with a copy in a safe place.',
  );
  console.log(`  ${files.publicKeyPath}  verifies: add it to MODEL_PUBLIC_KEYS in wrangler.toml\n`);
  console.log(files.publicKeyPem);
}

if (import.meta.main) runCommand(main);
