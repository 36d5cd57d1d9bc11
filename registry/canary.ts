/**
 * `npm run model:canary -- VERSION --share PERCENT [--channel NAME] [--remote [--env NAME]]`
 * `npm run model:abort -- [--channel NAME] [--remote [--env NAME]]`
 *
 * Makes a version in the bucket, named by its first digits, the channel's candidate: this share of the isolates tries it.
 * `model:promote` serves it everywhere, `model:abort` nowhere.
 */
import { parseArgs } from 'node:util';
import type { R2Bucket } from '@cloudflare/workers-types';
import { ChannelPointer, shortVersion } from '../src/model/layout.ts';
import type { PublicKey } from '../src/model/oms/public-keys.ts';
import type { SizeLimits, VerifiedModel } from '../src/model/verification.ts';
import { NO_DIGEST, readAudit } from './audit.ts';
import { withBucket } from './bucket.ts';
import { readChannel, setCandidate } from './channel.ts';
import { BUCKET_OPTIONS, readBucketArguments, runCommand } from './command.ts';
import { readSettings } from './environment.ts';
import { tryVersion } from './trial.ts';
import { trustedKeys } from './trust.ts';
import { checkVersion, findVersion } from './versions.ts';

export interface CanaryOptions {
  /** Percent of the isolates. */
  readonly share: number;
  /** The keys that the Worker trusts. */
  readonly keys: readonly PublicKey[];
  /** What the Worker reads; undefined: any size. */
  readonly limits?: SizeLimits;
  /** Runs the verified version before any isolate does; throws if it is not fit. */
  readonly tryOut?: (model: VerifiedModel) => Promise<unknown>;
}

/**
 * Makes the version that begins with `digits` the channel's candidate. Does nothing if it is, with this share.
 *
 * @returns the candidate's version
 * @throws {ModelUntrusted} the Worker would refuse it
 * @throws {Error} there is no such version, the channel serves it already, or the share is not between 0 and 100
 */
export async function startCanary(
  bucket: R2Bucket,
  channel: string,
  digits: string,
  { share, keys, limits, tryOut }: CanaryOptions,
): Promise<string> {
  const version = await findVersion(bucket, digits);
  const pointer = ChannelPointer.parse({ version, candidate: { version, share } });
  if (!pointer.candidate) throw new Error('--share takes a percentage above 0 and below 100');
  const current = await readChannel(bucket, channel);
  if (current.version === version) throw new Error(`the channel ${channel} serves ${shortVersion(version)} already`);
  const model = await checkVersion(bucket, version, keys, limits);
  await tryOut?.(model);
  if (current.candidate?.version === version && current.candidate.share === share) return version;
  await setCandidate(bucket, channel, pointer.candidate, { action: 'canary', version, signer: model.signer });
  return version;
}

/**
 * Takes the candidate away from the channel. It need not be valid.
 *
 * @returns the version that was the candidate
 * @throws {Error} there is none
 */
export async function abortCanary(bucket: R2Bucket, channel: string): Promise<string> {
  const { candidate } = await readChannel(bucket, channel);
  if (!candidate) throw new Error(`the channel ${channel} has no candidate`);
  const { version } = candidate;
  const { records } = await readAudit(bucket);
  const signer = records.findLast((record) => record.version === version)?.signer ?? NO_DIGEST;
  await setCandidate(bucket, channel, undefined, { action: 'abort', version, signer });
  return version;
}

async function main(): Promise<void> {
  const parsed = parseArgs({ allowPositionals: true, options: { ...BUCKET_OPTIONS, share: { type: 'string' } } });
  const { target, channel, positionals } = readBucketArguments(parsed);
  const [action, digits = ''] = positionals;
  const settings = readSettings(target.env);
  if (action === 'abort') {
    const version = await withBucket(target, (bucket) => abortCanary(bucket, channel));
    console.log(`channel ${channel} no longer tries ${shortVersion(version)}`);
    return;
  }
  const share = Number(parsed.values.share);
  const keys = await trustedKeys(target);
  const tryOut = (model: VerifiedModel) => tryVersion(model, settings, []);
  const version = await withBucket(target, (bucket) =>
    startCanary(bucket, channel, digits, { share, keys, limits: settings, tryOut }),
  );
  console.log(`channel ${channel} now tries ${shortVersion(version)} in ${share} % of the isolates`);
  const pin = settings.MODEL_VERSION;
  if (pin !== '') console.log(`but wrangler.toml pins ${shortVersion(pin)}, which is still served`);
}

if (import.meta.main) runCommand(main);
