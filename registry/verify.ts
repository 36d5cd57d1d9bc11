/**
 * `npm run model:verify -- [FOLDER] --key PUBLIC.pem`
 *
 * Says whether the version in a folder is signed by one of the keys in the file; exits with 1 if not.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shortVersion } from '../src/model/layout.ts';
import { parseManifest } from '../src/model/manifest.ts';
import { InvalidSignature } from '../src/model/oms/invalid-signature.ts';
import { type PublicKey, parsePublicKeys } from '../src/model/oms/public-keys.ts';
import { type Verified, verifySignature } from '../src/model/oms/verify.ts';
import { RELEASE_FOLDER, sha256 } from './release.ts';
import { SIGNATURE_FILE, UNSIGNED_PATHS } from './sign.ts';

/**
 * Verifies the version in the folder: model.sig is by one of the keys and covers every file there.
 *
 * @throws {InvalidSignature} it is not
 * @throws {Error} something there cannot be read as a file
 */
export async function verifyRelease(folder: string, keys: readonly PublicKey[]): Promise<Verified> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (UNSIGNED_PATHS.includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (!entry.isFile()) throw new Error(`${path} is not a plain file`);
    files.set(entry.name, sha256(await readFile(path)));
  }
  return verifySignature(await readFile(join(folder, SIGNATURE_FILE)), keys, files);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' } },
  });
  if (values.key === undefined) throw new Error('--key FILE names the public key, or keys, to trust');
  const folder = positionals[0] ?? RELEASE_FOLDER;
  const keys = await parsePublicKeys(await readFile(values.key, 'utf8'));
  const { fingerprint } = await verifyRelease(folder, keys);
  const manifest = await readFile(join(folder, 'manifest.json'));
  console.log(`Good signature of ${parseManifest(manifest).name} ${shortVersion(sha256(manifest))}`);
  console.log(`  by the key ${fingerprint}`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    if (error instanceof InvalidSignature) console.error(`Refused, ${error.reason}: ${error.message}`);
    else console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
