/**
 * `npm run model:verify -- [FOLDER] --key PUBLIC.pem`
 *
 * Checks that one of the keys in the file signed the version in a folder; exits with status 1 if not.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shortVersion } from '../src/model/layout.ts';
import { type PublicKey, parsePublicKeys } from '../src/model/oms/public-keys.ts';
import { digestFile, type VerifiedModel, type VersionFile, verifyVersion } from '../src/model/verification.ts';
import { runCommand } from './command.ts';
import { RELEASE_FOLDER } from './release.ts';
import { SIGNATURE_FILE, UNSIGNED_PATHS } from './sign.ts';

/**
 * Verifies the version in a folder as the Worker does. The signature has to cover every file in the folder.
 *
 * @throws {ModelUntrusted} the version is refused
 * @throws {Error} the folder holds something that is not a file, or lacks a manifest or a signature
 */
export async function verifyRelease(folder: string, keys: readonly PublicKey[]): Promise<VerifiedModel> {
  const files = new Map<string, VersionFile>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (UNSIGNED_PATHS.includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (!entry.isFile()) throw new Error(`${path} is not a plain file`);
    files.set(entry.name, await digestFile(await readFile(path)));
  }
  const version = files.get('manifest.json')?.sha256 ?? '';
  return verifyVersion(version, files, await readFile(join(folder, SIGNATURE_FILE)), keys);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' } },
  });
  if (values.key === undefined) throw new Error('--key FILE names the public keys to trust');
  const keys = await parsePublicKeys(await readFile(values.key, 'utf8'));
  const { manifest, version, signer } = await verifyRelease(positionals[0] ?? RELEASE_FOLDER, keys);
  console.log(`Good signature of ${manifest.name} ${shortVersion(version)}`);
  console.log(`  by the key ${signer}`);
}

if (import.meta.main) runCommand(main);
