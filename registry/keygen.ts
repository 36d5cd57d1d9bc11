/**
 * `npm run model:keygen -- [--out FOLDER] [--curve P-256|P-384]`
 *
 * Generates a key pair that signs models. Never overwrites a file.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CURVES, type CurveName } from '../src/model/oms/curves.ts';
import { parsePublicKeys } from '../src/model/oms/public-keys.ts';
import { runCommand } from './command.ts';
import { generateKeyPair } from './keys.ts';

/** The default folder for keys. */
export const KEY_FOLDER = '.keys';

export interface KeyFiles {
  readonly privateKeyPath: string;
  readonly publicKeyPath: string;
  readonly publicKeyPem: string;
  /** SHA-256 of the public key in DER, 64 hex digits. */
  readonly fingerprint: string;
}

/** The paths of the key pair in a folder. */
export function keyPaths(folder: string): Pick<KeyFiles, 'privateKeyPath' | 'publicKeyPath'> {
  return {
    privateKeyPath: join(folder, 'model-signing.pem'),
    publicKeyPath: join(folder, 'model-signing.pub.pem'),
  };
}

/**
 * Writes a new key pair; only the owner can read the private key. If this creates the folder, nobody else can enter
 * it, and git ignores its contents.
 *
 * @throws {Error} one of the files exists: then nothing is changed
 */
export async function writeKeyPair(folder: string, curve: CurveName): Promise<KeyFiles> {
  const { privateKeyPem, publicKeyPem } = generateKeyPair(curve);
  const [publicKey] = await parsePublicKeys(publicKeyPem);
  if (!publicKey) throw new Error('no key was generated');
  const { privateKeyPath, publicKeyPath } = keyPaths(folder);

  if (await mkdir(folder, { recursive: true, mode: 0o700 })) {
    await writeFile(join(folder, '.gitignore'), '*\n');
  }
  await writeNew(publicKeyPath, publicKeyPem, 0o644);
  try {
    await writeNew(privateKeyPath, privateKeyPem, 0o600);
  } catch (error) {
    // Useless without its private key, and certainly ours.
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
      throw new Error(`${path} already exists. Keys are never overwritten: choose another --out.`);
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
  console.log(`New ${curve.name} key, fingerprint ${files.fingerprint}`);
  console.log(`  ${files.privateKeyPath}  signs: npm run model:sign -- --key ${files.privateKeyPath}`);
  console.log('    Anyone who has it can sign any model. Keep it out of the repository, and keep a backup.');
  console.log(`  ${files.publicKeyPath}  verifies: add it to MODEL_PUBLIC_KEYS in wrangler.toml\n`);
  console.log(files.publicKeyPem);
}

if (import.meta.main) runCommand(main);
