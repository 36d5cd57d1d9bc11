import type { R2Bucket } from '@cloudflare/workers-types';
import { modelKey } from '../src/model/layout.ts';
import { type Manifest, parseManifest } from '../src/model/manifest.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import { verifySignature } from '../src/model/oms/verify.ts';
import { sha256 } from './release.ts';
import { SIGNATURE_FILE } from './sign.ts';

/** All versions in the bucket, in the order of their names. */
export async function listVersions(bucket: R2Bucket): Promise<string[]> {
  const versions: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({
      prefix: 'models/',
      delimiter: '/',
      ...(cursor === undefined ? {} : { cursor }),
    });
    versions.push(...page.delimitedPrefixes.map((prefix) => prefix.slice('models/'.length, -1)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return versions.sort();
}

/**
 * The one version that begins with these digits.
 *
 * @throws {Error} there is none, or there are several
 */
export async function findVersion(bucket: R2Bucket, digits: string): Promise<string> {
  const found = (await listVersions(bucket)).filter((version) => version.startsWith(digits.toLowerCase()));
  const [version] = found;
  if (digits === '' || version === undefined) throw new Error(`no version begins with '${digits}'`);
  if (found.length > 1) throw new Error(`several versions begin with '${digits}': ${found.join(', ')}`);
  return version;
}

export interface CheckedVersion {
  readonly manifest: Manifest;
  /** Fingerprint of the key that has signed it, 64 hex digits. */
  readonly signer: string;
}

/**
 * Checks a version in the bucket as the Worker will: its manifest, its model, its signature.
 *
 * @throws {Error} it would be refused
 */
export async function checkVersion(
  bucket: R2Bucket,
  version: string,
  keys: readonly PublicKey[],
): Promise<CheckedVersion> {
  const read = async (file: string) => {
    const object = await bucket.get(modelKey(version, file));
    if (!object) throw new Error(`${modelKey(version, file)} is missing`);
    return Buffer.from(await object.arrayBuffer());
  };
  const manifestBytes = await read('manifest.json');
  if (sha256(manifestBytes) !== version)
    throw new Error('the manifest is not the one that the version names');
  const files = new Map([
    ['manifest.json', version],
    ['model.onnx', sha256(await read('model.onnx'))],
  ]);
  const { fingerprint } = await verifySignature(await read(SIGNATURE_FILE), keys, files);
  return { manifest: parseManifest(manifestBytes), signer: fingerprint };
}
