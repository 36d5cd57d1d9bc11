import * as z from 'zod';
import { Sha256 } from './digest.ts';

/**
 * The layout of the bucket. A version is immutable and named by the SHA-256 of its manifest; a channel points at one
 * version. The registry's commands write it, the Worker reads it.
 */
export const modelKey = (version: string, file: string): string => `models/${version}/${file}`;
export const channelKey = (channel: string): string => `channels/${channel}.json`;
/** The key of an audit record, sorted by number; without a number, their common prefix. */
export const auditKey = (sequence?: number): string =>
  sequence === undefined ? 'audit/' : `audit/${String(sequence).padStart(8, '0')}.json`;

/** A version that some isolates try, and their share in percent. */
const Candidate = z.object({ version: Sha256, share: z.number().gt(0).lt(100) });
export type Candidate = z.infer<typeof Candidate>;

export const ChannelPointer = z.object({
  version: Sha256,
  /** One that is not valid is ignored: the channel still names a version to serve. */
  candidate: Candidate.optional().catch(undefined),
});
export type ChannelPointer = z.infer<typeof ChannelPointer>;

/** A version as people see it: its first 12 hex digits. */
export const shortVersion = (version: string): string => version.slice(0, 12);
