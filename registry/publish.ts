/**
 * `npm run model:publish -- [FOLDER] [--remote [--env NAME]] [--channel NAME] [--persist-to DIR]`
 *
 * Puts a signed version into R2 under its content address, then points the channel at it. For the local bucket, the
 * development key signs a version that has no signature.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { modelKey, shortVersion } from '../src/model/layout.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import { type SizeLimits, type VersionFile, verifyVersion } from '../src/model/verification.ts';
import { withBucket } from './bucket.ts';
import { moveChannel } from './channel.ts';
import { bucketArguments, runCommand } from './command.ts';
import { readSettings } from './environment.ts';
import { RELEASE_FOLDER, type Release, readRelease, sha256 } from './release.ts';
import { createSignature, SIGNATURE_FILE } from './sign.ts';
import { developmentKey, trustedKeys } from './trust.ts';

export interface Published {
  /** Files that were written; the others existed already. */
  readonly written: readonly string[];
  /** Whether the channel has moved. */
  readonly moved: boolean;
}

/**
 * Publishes a version. The pointer moves last, so an interruption leaves the old version served; repeating a complete
 * publication changes nothing.
 *
 * @param signature the content of model.sig
 * @param keys the keys that the Worker trusts
 * @param limits what the Worker reads; undefined: any size
 * @throws {ModelUntrusted} the Worker would refuse the version: then nothing is written
 * @throws {Error} R2 refuses a write, or someone else moves the channel at the same time
 */
export async function publish(
  bucket: R2Bucket,
  release: Release,
  signature: Buffer,
  keys: readonly PublicKey[],
  channel: string,
  limits?: SizeLimits,
): Promise<Published> {
  const { version, files } = release;
  const { signer } = await verifyVersion(version, files, signature, keys, limits);
  const written = [];
  for (const [name, file] of files) {
    if (await putOnce(bucket, modelKey(version, name), file)) written.push(name);
  }
  // Keep a good signature: another one over the same files adds nothing.
  if (!(await isSigned(bucket, release, keys))) {
    await bucket.put(modelKey(version, SIGNATURE_FILE), signature, { sha256: sha256(signature) });
    written.push(SIGNATURE_FILE);
  }
  return { written, moved: await moveChannel(bucket, channel, { action: 'publish', version, signer }) };
}

async function isSigned(bucket: R2Bucket, { version, files }: Release, keys: readonly PublicKey[]): Promise<boolean> {
  const object = await bucket.get(modelKey(version, SIGNATURE_FILE));
  if (!object) return false;
  const signature = new Uint8Array(await object.arrayBuffer());
  return verifyVersion(version, files, signature, keys).then(
    () => true,
    () => false,
  );
}

async function putOnce(bucket: R2Bucket, key: string, file: VersionFile): Promise<boolean> {
  if (await holds(bucket, key, file)) return false;
  // R2 refuses the write if the bytes that arrive have another digest.
  await bucket.put(key, file.bytes, { sha256: file.sha256 });
  return true;
}

async function holds(bucket: R2Bucket, key: string, { sha256 }: VersionFile): Promise<boolean> {
  const object = await bucket.head(key);
  const checksum = object?.checksums.sha256;
  return checksum !== undefined && Buffer.from(checksum).toString('hex') === sha256;
}

async function readSignature(folder: string, release: Release, remote: boolean): Promise<Buffer> {
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
  const signature = await readSignature(folder, release, remote);
  const keys = await trustedKeys(target);
  const settings = readSettings(target.env);
  const { written, moved } = await withBucket(target, (bucket) =>
    publish(bucket, release, signature, keys, channel, settings),
  );
  console.log(
    `${release.manifest.name} ${shortVersion(release.version)} in the ${remote ? 'remote' : 'local'} bucket:`,
  );
  console.log(`  files: ${written.length > 0 ? `wrote ${written.join(', ')}` : 'all existed already'}`);
  console.log(`  channel ${channel}: ${moved ? 'now points at this version' : 'already pointed at it'}`);
  const pin = settings.MODEL_VERSION;
  if (pin !== '' && pin !== release.version)
    console.log(`  but wrangler.toml pins ${shortVersion(pin)}, which is still served`);
}

if (import.meta.main) runCommand(main);
