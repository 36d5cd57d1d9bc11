import * as z from 'zod';
import { Sha256 } from './digest.ts';

/**
 * Where things lie in the bucket: a version is immutable and named by the SHA-256 of its manifest; a channel
 * points at one version. Shared with the tools that publish.
 */
export const modelKey = (version: string, file: string): string => `models/${version}/${file}`;
export const channelKey = (channel: string): string => `channels/${channel}.json`;
/** The audit records in their order; without a number, what all of their keys begin with. */
export const auditKey = (sequence?: number): string =>
  sequence === undefined ? 'audit/' : `audit/${String(sequence).padStart(8, '0')}.json`;

export const ChannelPointer = z.object({ version: Sha256 });
export type ChannelPointer = z.infer<typeof ChannelPointer>;

/** How a version is shown to people: its first 12 hex digits. */
export const shortVersion = (version: string): string => version.slice(0, 12);
