import type { R2Bucket } from '@cloudflare/workers-types';
import packageJson from '../package.json' with { type: 'json' };
import { ChannelPointer, channelKey } from '../src/model/layout.ts';
import { type AuditRecord, writeAudit } from './audit.ts';

interface Channel {
  /** The version that it points at; null if there is none. */
  readonly version: string | null;
  /** Null if there is no pointer. */
  readonly etag: string | null;
}

export async function readChannel(bucket: R2Bucket, channel: string): Promise<Channel> {
  const object = await bucket.get(channelKey(channel));
  if (!object) return { version: null, etag: null };
  return { version: parsePointer(await object.text()), etag: object.etag };
}

/**
 * Points the channel at a version after recording the change in the audit trail. Does nothing if it points there
 * already.
 *
 * @returns whether the channel has moved
 * @throws {Error} someone else moves the channel at the same time
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
  if (!done) throw new Error(`someone else moved the channel ${channel} at the same time: try again`);
  return true;
}

function parsePointer(text: string): string | null {
  try {
    return ChannelPointer.parse(JSON.parse(text)).version;
  } catch {
    return null;
  }
}
