import type { R2Bucket } from '@cloudflare/workers-types';
import packageJson from '../package.json' with { type: 'json' };
import { ChannelPointer, channelKey } from '../src/model/layout.ts';
import { type AuditRecord, writeAudit } from './audit.ts';

export interface Channel {
  /** The version that it points at; null where it points at none. */
  readonly version: string | null;
  /** Null where there is no pointer. */
  readonly etag: string | null;
}

export async function readChannel(bucket: R2Bucket, channel: string): Promise<Channel> {
  const object = await bucket.get(channelKey(channel));
  if (!object) return { version: null, etag: null };
  return { version: versionIn(await object.text()), etag: object.etag };
}

/**
 * Points the channel at a version, after an audit record says so; nothing happens when it points there already.
 *
 * @param move the version, the key that has signed it, and what this is to be called in the records
 * @returns whether it pointed elsewhere before
 * @throws {Error} somebody else moves the channel at the same moment
 */
export async function moveChannel(
  bucket: R2Bucket,
  channel: string,
  { action, version, signer }: Pick<AuditRecord, 'action' | 'version' | 'signer'>,
): Promise<boolean> {
  const { version: from, etag } = await readChannel(bucket, channel);
  if (from === version) return false;
  const tool = `${packageJson.name}/${packageJson.version}`;
  await writeAudit(bucket, { action, channel, version, from, signer, tool });
  const pointer: ChannelPointer = { version };
  const done = await bucket.put(channelKey(channel), `${JSON.stringify(pointer)}\n`, {
    onlyIf: etag === null ? { etagDoesNotMatch: '*' } : { etagMatches: etag },
    httpMetadata: { contentType: 'application/json' },
  });
  if (!done) throw new Error(`the channel ${channel} was moved by somebody else at this moment: try again`);
  return true;
}

function versionIn(pointer: string): string | null {
  try {
    return ChannelPointer.parse(JSON.parse(pointer)).version;
  } catch {
    return null;
  }
}
