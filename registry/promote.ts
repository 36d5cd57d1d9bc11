/**
 * `npm run model:promote -- VERSION [--channel NAME] [--remote [--env NAME]]`
 * `npm run model:rollback -- [--channel NAME] [--remote [--env NAME]]`
 *
 * Points a channel at another version that is in the bucket: the one that is named (its first digits do), or the
 * one that the current version had taken the place of. The Worker follows by itself.
 */
import type { R2Bucket } from '@cloudflare/workers-types';
import { shortVersion } from '../src/model/layout.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import { readAudit } from './audit.ts';
import { withBucket } from './bucket.ts';
import { moveChannel, readChannel } from './channel.ts';
import { bucketArguments, runCommand } from './command.ts';
import { pinnedVersion, trustedKeys } from './trust.ts';
import { checkVersion, findVersion } from './versions.ts';

export interface Moved {
  readonly version: string;
  readonly moved: boolean;
}

/**
 * Points the channel at the version that begins with `digits`.
 *
 * @throws {Error} there is no such version, or the Worker would refuse it
 */
export async function promote(
  bucket: R2Bucket,
  channel: string,
  digits: string,
  keys: readonly PublicKey[],
): Promise<Moved> {
  const version = await findVersion(bucket, digits);
  const { signer } = await checkVersion(bucket, version, keys);
  return { version, moved: await moveChannel(bucket, channel, { action: 'promote', version, signer }) };
}

/**
 * Points the channel at the version that the current one has replaced, by the audit records. Going back twice goes
 * back two versions.
 *
 * @throws {Error} there is nothing to go back to, or the Worker would refuse it
 */
export async function rollback(
  bucket: R2Bucket,
  channel: string,
  keys: readonly PublicKey[],
): Promise<Moved> {
  const { version: current } = await readChannel(bucket, channel);
  const { records } = await readAudit(bucket);
  const arrival = records.findLast(
    (record) => record.channel === channel && record.version === current && record.action !== 'rollback',
  );
  const version = arrival?.from;
  if (!version) throw new Error(`the channel ${channel} has no version to go back to`);
  const { signer } = await checkVersion(bucket, version, keys);
  return { version, moved: await moveChannel(bucket, channel, { action: 'rollback', version, signer }) };
}

async function main(): Promise<void> {
  const { target, channel, positionals } = bucketArguments();
  const [action, digits = ''] = positionals;
  const keys = await trustedKeys(target);
  const { version, moved } = await withBucket(target, (bucket) =>
    action === 'rollback' ? rollback(bucket, channel, keys) : promote(bucket, channel, digits, keys),
  );
  const verb = moved ? 'now points' : 'pointed already';
  console.log(`channel ${channel} ${verb} at ${shortVersion(version)}`);
  const pin = pinnedVersion(target);
  if (pin) console.log(`but wrangler.toml pins ${shortVersion(pin)}, which goes on being served`);
}

if (import.meta.main) runCommand(main);
