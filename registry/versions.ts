import type { R2Bucket } from '@cloudflare/workers-types';
import { modelKey } from '../src/model/layout.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import { type SizeLimits, type VerifiedModel, verifyVersion } from '../src/model/verification.ts';
import { listPages } from './bucket.ts';
import { readVersionFiles } from './release.ts';
import { SIGNATURE_FILE } from './sign.ts';

/** All versions in the bucket, sorted. */
export async function listVersions(bucket: R2Bucket): Promise<string[]> {
  const prefix = 'models/';
  const versions: string[] = [];
  for await (const { delimitedPrefixes } of listPages(bucket, { prefix, delimiter: '/' })) {
    versions.push(...delimitedPrefixes.map((folder) => folder.slice(prefix.length, -1)));
  }
  return versions.sort();
}

/**
 * The only version that begins with these digits.
 *
 * @throws {Error} there is none, or more than one
 */
export async function findVersion(bucket: R2Bucket, digits: string): Promise<string> {
  const found = (await listVersions(bucket)).filter((version) => version.startsWith(digits.toLowerCase()));
  const [version] = found;
  if (digits === '' || version === undefined) throw new Error(`no version begins with '${digits}'`);
  if (found.length > 1) throw new Error(`more than one version begins with '${digits}': ${found.join(', ')}`);
  return version;
}

/**
 * Reads a version from the bucket and verifies it as the Worker does.
 *
 * @param limits what the Worker reads; undefined: any size
 * @throws {ModelUntrusted} the Worker would refuse it
 * @throws {Error} a file is missing
 */
export async function checkVersion(
  bucket: R2Bucket,
  version: string,
  keys: readonly PublicKey[],
  limits?: SizeLimits,
): Promise<VerifiedModel> {
  const read = async (file: string) => {
    const object = await bucket.get(modelKey(version, file));
    if (!object) throw new Error(`${modelKey(version, file)} is missing`);
    return new Uint8Array(await object.arrayBuffer());
  };
  return verifyVersion(version, await readVersionFiles(read), await read(SIGNATURE_FILE), keys, limits);
}
