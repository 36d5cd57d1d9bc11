/**
 * `npm run model:audit -- [--remote [--env NAME]] [--persist-to DIR]`
 *
 * Prints every change to the channels, with its key and time, and checks that no record was altered, removed or
 * inserted. Exits with status 1 if the chain is broken.
 */
import type { R2Bucket } from '@cloudflare/workers-types';
import { z } from 'zod';
import { Sha256 } from '../src/model/digest.ts';
import { auditKey, shortVersion } from '../src/model/layout.ts';
import { listPages, withBucket } from './bucket.ts';
import { bucketArguments, runCommand } from './command.ts';
import { sha256 } from './release.ts';

/** One change to a channel. */
const AuditRecord = z.object({
  format: z.literal('husky-ai/audit/1'),
  /** Counts from 1. */
  sequence: z.number().int().positive(),
  /** SHA-256 of the previous record; zeros for the first. */
  previous: Sha256,
  at: z.iso.datetime(),
  action: z.enum(['publish', 'promote', 'rollback', 'canary', 'abort']),
  channel: z.string(),
  /** The version that the channel points at from now on; after `canary` and `abort`, the candidate. */
  version: Sha256,
  /** The version that the channel pointed at before. */
  from: Sha256.nullable(),
  /** `canary` only: the share of isolates that try the candidate, in percent. */
  share: z.number().optional(),
  /** Fingerprint of the key that signed the version; zeros if an aborted candidate has no record. */
  signer: Sha256,
  tool: z.string(),
});
export type AuditRecord = z.infer<typeof AuditRecord>;

/** A change to record. Its place in the chain is determined when it is written. */
type Change = Omit<AuditRecord, 'format' | 'sequence' | 'previous' | 'at'>;

interface AuditTrail {
  readonly records: readonly AuditRecord[];
  /** SHA-256 of the last record, or zeros. A copy of it kept elsewhere reveals whether the end was cut off. */
  readonly head: string;
  /** What is wrong with the chain; empty if nothing is. */
  readonly faults: readonly string[];
}

/** In place of a SHA-256 that does not exist. */
export const NO_DIGEST = '0'.repeat(64);

/** Reads all records in order and checks how they are chained. */
export async function readAudit(bucket: R2Bucket): Promise<AuditTrail> {
  const records: AuditRecord[] = [];
  const faults: string[] = [];
  let head = NO_DIGEST;
  for (const key of await auditKeys(bucket)) {
    const bytes = Buffer.from((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
    const record = parseRecord(bytes);
    if (!record) {
      faults.push(`${key} is not a record`);
      head = sha256(bytes);
      continue;
    }
    if (key !== auditKey(record.sequence)) faults.push(`${key} claims to be number ${record.sequence}`);
    if (record.previous !== head) faults.push(`${key} does not follow from the previous record`);
    head = sha256(bytes);
    records.push(record);
  }
  return { records, head, faults };
}

/**
 * Records a change that is about to be made, after the last record.
 *
 * @throws {Error} another publisher took the same place at the same time, or the chain is broken
 */
export async function writeAudit(bucket: R2Bucket, change: Change): Promise<void> {
  const { records, head, faults } = await readAudit(bucket);
  if (faults.length > 0) throw new Error(`the audit trail is broken: ${faults.join('; ')}`);
  const sequence = records.length + 1;
  const at = new Date().toISOString();
  const record: AuditRecord = { format: 'husky-ai/audit/1', sequence, previous: head, at, ...change };
  const written = await bucket.put(auditKey(sequence), `${JSON.stringify(record)}\n`, {
    onlyIf: { etagDoesNotMatch: '*' },
    httpMetadata: { contentType: 'application/json' },
  });
  if (!written) throw new Error('someone else is publishing at the same time: try again');
}

async function auditKeys(bucket: R2Bucket): Promise<string[]> {
  const keys: string[] = [];
  for await (const { objects } of listPages(bucket, { prefix: auditKey() })) {
    keys.push(...objects.map(({ key }) => key));
  }
  return keys.sort();
}

function parseRecord(bytes: Buffer): AuditRecord | undefined {
  try {
    return AuditRecord.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

function describeChange({ action, version, from, share }: AuditRecord): string {
  const before = from ? shortVersion(from) : 'nothing';
  if (action === 'canary') return `${before}, ${share} % ${shortVersion(version)}`;
  if (action === 'abort') return `${before}, without ${shortVersion(version)}`;
  return `${before} -> ${shortVersion(version)}`;
}

async function main(): Promise<void> {
  const { target } = bucketArguments();
  const { records, head, faults } = await withBucket(target, readAudit);
  for (const record of records) {
    const { sequence, at, action, channel, signer, tool } = record;
    const key = `key ${shortVersion(signer)}`;
    console.log(`${sequence}  ${at}  ${action.padEnd(8)}  ${channel}  ${describeChange(record)}  ${key}  ${tool}`);
  }
  console.log(`${records.length} records, the last one is ${head}`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) runCommand(main);
