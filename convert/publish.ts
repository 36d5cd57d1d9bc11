/**
 * `npm run model:publish -- [FOLDER] [--remote] [--channel NAME] [--persist-to DIR]`
 *
 * Puts a version into R2 under its content address, then moves the channel's pointer to it.
 */
import { parseArgs } from 'node:util';
import type { R2Bucket } from '@cloudflare/workers-types';
import { type ChannelPointer, channelKey, modelKey, shortVersion } from '../src/model/layout.ts';
import { withBucket } from './bucket.ts';
import { RELEASE_FOLDER, type Release, readRelease, sha256 } from './release.ts';

export const DEFAULT_CHANNEL = 'production';

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
 * @throws {Error} R2 refuses a write, or somebody else moved the channel at the same moment
 */
export async function publish(bucket: R2Bucket, release: Release, channel: string): Promise<Published> {
  const written = [];
  for (const [file, bytes] of release.files) {
    if (await putOnce(bucket, modelKey(release.version, file), bytes)) written.push(file);
  }
  return { written, moved: await point(bucket, channel, release.version) };
}

/** Whether this version's files are all in the bucket. */
export async function isPublished(bucket: R2Bucket, release: Release): Promise<boolean> {
  for (const [file, bytes] of release.files) {
    if (!(await holds(bucket, modelKey(release.version, file), bytes))) return false;
  }
  return true;
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

async function point(bucket: R2Bucket, channel: string, version: string): Promise<boolean> {
  const key = channelKey(channel);
  const pointer: ChannelPointer = { version };
  const content = `${JSON.stringify(pointer)}\n`;
  const current = await bucket.get(key);
  if (current && (await current.text()) === content) return false;
  const onlyIf = current ? { etagMatches: current.etag } : { etagDoesNotMatch: '*' };
  const done = await bucket.put(key, content, {
    onlyIf,
    httpMetadata: { contentType: 'application/json' },
  });
  if (!done) throw new Error(`the channel ${channel} was moved by somebody else at this moment: try again`);
  return true;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      remote: { type: 'boolean', default: false },
      channel: { type: 'string', default: DEFAULT_CHANNEL },
      'persist-to': { type: 'string' },
    },
  });
  const release = await readRelease(positionals[0] ?? RELEASE_FOLDER);
  const target = { remote: values.remote, persistTo: values['persist-to'] };
  const { written, moved } = await withBucket(target, (bucket) => publish(bucket, release, values.channel));
  const where = values.remote ? 'the real bucket' : 'the local bucket';
  console.log(`${release.manifest.name} ${shortVersion(release.version)} in ${where}:`);
  console.log(`  files: ${written.length > 0 ? `wrote ${written.join(', ')}` : 'all there already'}`);
  console.log(`  channel ${values.channel}: ${moved ? 'now serves this version' : 'served it already'}`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
