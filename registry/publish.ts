/**
 * `npm run model:publish -- [FOLDER] [--remote [--env NAME]] [--channel NAME] [--persist-to DIR]`
 *
 * Puts a signed version into R2 under its content address, then moves the channel's pointer to it. For the local
 * bucket, a version without a signature is signed with the development key.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { modelKey, shortVersion } from '../src/model/layout.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import { verifySignature } from '../src/model/oms/verify.ts';
import { withBucket } from './bucket.ts';
import { moveChannel } from './channel.ts';
import { bucketArguments, runCommand } from './command.ts';
import { RELEASE_FOLDER, type Release, readRelease, sha256 } from './release.ts';
import { createSignature, SIGNATURE_FILE } from './sign.ts';
import { developmentKey, pinnedVersion, trustedKeys } from './trust.ts';

export interface Published {
  /** Files that had to be written; those that were there already are left alone. */
  readonly written: readonly string[];
  /** Whether the channel pointed elsewhere before. */
  readonly moved: boolean;
}

/**
 * Publishes a version. The pointer moves last, so whatever interrupts this leaves the old version served;
 * repeating it changes nothing.
 *
 * @param signature the content of model.sig
 * @param keys those that the Worker trusts: what it would refuse is not published
 * @throws {InvalidSignature} the signature is not one of theirs
 * @throws {Error} R2 refuses a write, or somebody else moves the channel at the same moment
 */
export async function publish(
  bucket: R2Bucket,
  release: Release,
  signature: Buffer,
  keys: readonly PublicKey[],
  channel: string,
): Promise<Published> {
  const { version } = release;
  const signer = await signerOf(release, signature, keys);
  const written = [];
  for (const [file, bytes] of release.files) {
    if (await putOnce(bucket, modelKey(version, file), bytes)) written.push(file);
  }
  // A good signature stays: another one of the same files would say nothing new.
  if (!(await isSigned(bucket, release, keys))) {
    await bucket.put(modelKey(version, SIGNATURE_FILE), signature, { sha256: sha256(signature) });
    written.push(SIGNATURE_FILE);
  }
  return { written, moved: await moveChannel(bucket, channel, { action: 'publish', version, signer }) };
}

/** Whether the bucket holds this version, signed by one of the keys. */
export async function isPublished(
  bucket: R2Bucket,
  release: Release,
  keys: readonly PublicKey[],
): Promise<boolean> {
  for (const [file, bytes] of release.files) {
    if (!(await holds(bucket, modelKey(release.version, file), bytes))) return false;
  }
  return isSigned(bucket, release, keys);
}

async function isSigned(bucket: R2Bucket, release: Release, keys: readonly PublicKey[]): Promise<boolean> {
  const object = await bucket.get(modelKey(release.version, SIGNATURE_FILE));
  if (!object) return false;
  const signature = Buffer.from(await object.arrayBuffer());
  return signerOf(release, signature, keys).then(
    () => true,
    () => false,
  );
}

async function signerOf(release: Release, signature: Buffer, keys: readonly PublicKey[]): Promise<string> {
  const digests = new Map([...release.files].map(([name, bytes]) => [name, sha256(bytes)]));
  return (await verifySignature(signature, keys, digests)).fingerprint;
}

async function putOnce(bucket: R2Bucket, key: string, bytes: Uint8Array): Promise<boolean> {
  if (await holds(bucket, key, bytes)) return false;
  // R2 refuses the bytes if they are not these on arrival.
  await bucket.put(key, bytes, { sha256: sha256(bytes) });
  return true;
}

async function holds(bucket: R2Bucket, key: string, bytes: Uint8Array): Promise<boolean> {
  const object = await bucket.head(key);
  const checksum = object?.checksums.sha256;
  return checksum !== undefined && Buffer.from(checksum).toString('hex') === sha256(bytes);
}

async function signatureOf(folder: string, release: Release, remote: boolean): Promise<Buffer> {
  const file = join(folder, SIGNATURE_FILE);
  if (existsSync(file)) return readFile(file);
  if (remote) throw new Error(`${file} is missing: sign the version first, with npm run model:sign`);
  return createSignature(release, await developmentKey());
}

async function main(): Promise<void> {
  const { target, channel, positionals } = bucketArguments();
  const remote = target.remote === true;
  const folder = positionals[0] ?? RELEASE_FOLDER;
  const release = await readRelease(folder);
  const signature = await signatureOf(folder, release, remote);
  const keys = await trustedKeys(target);
  const { written, moved } = await withBucket(target, (bucket) =>
    publish(bucket, release, signature, keys, channel),
  );
  const where = remote ? 'the real bucket' : 'the local bucket';
  console.log(`${release.manifest.name} ${shortVersion(release.version)} in ${where}:`);
  console.log(`  files: ${written.length > 0 ? `wrote ${written.join(', ')}` : 'all there already'}`);
  console.log(`  channel ${channel}: ${moved ? 'now points at this version' : 'pointed at it already'}`);
  const pin = pinnedVersion(target);
  if (pin && pin !== release.version)
    console.log(`  but wrangler.toml pins ${shortVersion(pin)}, which goes on being served`);
}

if (import.meta.main) runCommand(main);
