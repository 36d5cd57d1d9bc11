import type { R2Bucket } from '@cloudflare/workers-types';
import packageJson from '../package.json' with { type: 'json' };
import { type Candidate, ChannelPointer, channelKey } from '../src/model/layout.ts';
import { type AuditRecord, writeAudit } from './audit.ts';

interface Channel {
  /** The version that it points at; null if there is none. */
  readonly version: string | null;
  /** The version that a share of the isolates tries. */
  readonly candidate: Candidate | undefined;
  /** Null if there is no pointer. */
  readonly etag: string | null;
}

export async function readChannel(bucket: R2Bucket, channel: string): Promise<Channel> {
  const object = await bucket.get(channelKey(channel));
  if (!object) return { version: null, candidate: undefined, etag: null };
  const pointer = parsePointer(await object.text());
  return { version: pointer?.version ?? null, candidate: pointer?.candidate, etag: object.etag };
}

/**
 * Points the channel at a version after recording the change in the audit trail; this ends a canary. Does nothing if it
 * points there already.
 *
 * @returns whether the channel has moved
 * @throws {Error} someone else moves the channel at the same time
 */
export async function moveChannel(
  bucket: R2Bucket,
  channel: string,
  { action, version, signer }: Pick<AuditRecord, 'action' | 'version' | 'signer'>,
): Promise<boolean> {
  const current = await readChannel(bucket, channel);
  if (current.version === version) return false;
  await writePointer(bucket, channel, current, { version }, { action, version, signer });
  return true;
}

/**
 * Gives the channel a candidate, or takes it away, after recording the change in the audit trail.
 *
 * @param candidate undefined: none
 * @throws {Error} the channel points at no version, or someone else moves it at the same time
 */
export async function setCandidate(
  bucket: R2Bucket,
  channel: string,
  candidate: Candidate | undefined,
  record: Pick<AuditRecord, 'action' | 'version' | 'signer'>,
): Promise<void> {
  const current = await readChannel(bucket, channel);
  const { version } = current;
  if (version === null) throw new Error(`the channel ${channel} points at no version`);
  await writePointer(bucket, channel, current, { version, candidate }, { ...record, share: candidate?.share });
}

async function writePointer(
  bucket: R2Bucket,
  channel: string,
  { version: from, etag }: Channel,
  pointer: ChannelPointer,
  record: Pick<AuditRecord, 'action' | 'version' | 'signer' | 'share'>,
): Promise<void> {
  const tool = `${packageJson.name}/${packageJson.version}`;
  await writeAudit(bucket, { ...record, channel, from, tool });
  const done = await bucket.put(channelKey(channel), `${JSON.stringify(pointer)}\n`, {
    onlyIf: etag === null ? { etagDoesNotMatch: '*' } : { etagMatches: etag },
    httpMetadata: { contentType: 'application/json' },
  });
  if (!done) throw new Error(`someone else moved the channel ${channel} at the same time: try again`);
}

function parsePointer(text: string): ChannelPointer | undefined {
  try {
    return ChannelPointer.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
