/**
 * `npm run model:promote -- [VERSION] [--channel NAME] [--remote [--env NAME]]`
 * `npm run model:rollback -- [--channel NAME] [--remote [--env NAME]]`
 *
 * Points a channel at another version in the bucket: at the one named by its first digits, by default its candidate, or
 * at the one that the current version replaced. Either ends a canary. Workers follow without a deployment.
 */
import type { R2Bucket } from '@cloudflare/workers-types';
import { shortVersion } from '../src/model/layout.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import type { SizeLimits } from '../src/model/verification.ts';
import { type AuditRecord, readAudit } from './audit.ts';
import { withBucket } from './bucket.ts';
import { moveChannel, readChannel } from './channel.ts';
import { bucketArguments, runCommand } from './command.ts';
import { readSettings } from './environment.ts';
import { trustedKeys } from './trust.ts';
import { checkVersion, findVersion } from './versions.ts';

interface Moved {
  readonly version: string;
  readonly moved: boolean;
}

/**
 * Points the channel at the version that begins with `digits`; if that is empty, at its candidate.
 *
 * @param keys the keys that the Worker trusts
 * @param limits what the Worker reads; undefined: any size
 * @throws {ModelUntrusted} the Worker would refuse it
 * @throws {Error} there is no such version, or no candidate
 */
export async function promote(
  bucket: R2Bucket,
  channel: string,
  digits: string,
  keys: readonly PublicKey[],
  limits?: SizeLimits,
): Promise<Moved> {
  const version = digits === '' ? await readCandidate(bucket, channel) : await findVersion(bucket, digits);
  const { signer } = await checkVersion(bucket, version, keys, limits);
  return { version, moved: await moveChannel(bucket, channel, { action: 'promote', version, signer }) };
}

async function readCandidate(bucket: R2Bucket, channel: string): Promise<string> {
  const { candidate } = await readChannel(bucket, channel);
  if (!candidate) throw new Error(`the channel ${channel} has no candidate: name a version`);
  return candidate.version;
}

/** The changes that a rollback undoes. */
const ARRIVALS: readonly AuditRecord['action'][] = ['publish', 'promote'];

/**
 * Points the channel at the version that the current one replaced, according to the audit trail. Rolling back twice
 * goes back two versions.
 *
 * @throws {ModelUntrusted} the Worker would refuse it
 * @throws {Error} there is nothing to roll back to
 */
export async function rollback(
  bucket: R2Bucket,
  channel: string,
  keys: readonly PublicKey[],
  limits?: SizeLimits,
): Promise<Moved> {
  const { version: current } = await readChannel(bucket, channel);
  const { records } = await readAudit(bucket);
  const arrival = records.findLast(
    (record) => record.channel === channel && record.version === current && ARRIVALS.includes(record.action),
  );
  const version = arrival?.from;
  if (!version) throw new Error(`the channel ${channel} has no version to roll back to`);
  const { signer } = await checkVersion(bucket, version, keys, limits);
  return { version, moved: await moveChannel(bucket, channel, { action: 'rollback', version, signer }) };
}

async function main(): Promise<void> {
  const { target, channel, positionals } = bucketArguments();
  const [action, digits = ''] = positionals;
  const keys = await trustedKeys(target);
  const settings = readSettings(target.env);
  const { version, moved } = await withBucket(target, (bucket) =>
    action === 'rollback'
      ? rollback(bucket, channel, keys, settings)
      : promote(bucket, channel, digits, keys, settings),
  );
  const verb = moved ? 'now points' : 'already pointed';
  console.log(`channel ${channel} ${verb} at ${shortVersion(version)}`);
  const pin = settings.MODEL_VERSION;
  if (pin !== '') console.log(`but wrangler.toml pins ${shortVersion(pin)}, which is still served`);
}

if (import.meta.main) runCommand(main);
