/**
 * `npm run model:audit -- [--remote [--env NAME]] [--persist-to DIR]`
 *
 * Prints what was done to the channels, by which key and when, and checks that no record was changed, left out or
 * put in between. Exits with 1 where the chain is broken.
 */
import type { R2Bucket } from '@cloudflare/workers-types';
import { z } from 'zod';
import { Sha256 } from '../src/model/digest.ts';
import { auditKey, shortVersion } from '../src/model/layout.ts';
import { withBucket } from './bucket.ts';
import { bucketArguments, runCommand } from './command.ts';
import { sha256 } from './release.ts';

/** One thing that was done to a channel. */
const AuditRecord = z.object({
  format: z.literal('husky-ai/audit/1'),
  /** 1 for the first, one more for each. */
  sequence: z.number().int().positive(),
  /** SHA-256 of the record before; zeros for the first. */
  previous: Sha256,
  at: z.iso.datetime(),
  action: z.enum(['publish', 'promote', 'rollback']),
  channel: z.string(),
  version: Sha256,
  /** The version that the channel pointed at before. */
  from: Sha256.nullable(),
  /** Fingerprint of the key that has signed the version. */
  signer: Sha256,
  tool: z.string(),
});
export type AuditRecord = z.infer<typeof AuditRecord>;

/** What there is to say of it; its place in the chain is found when it is written. */
export type Deed = Pick<AuditRecord, 'action' | 'channel' | 'version' | 'from' | 'signer' | 'tool'>;

export interface AuditTrail {
  readonly records: readonly AuditRecord[];
  /** SHA-256 of the last record, zeros where there is none: kept elsewhere, it shows whether the end was cut off. */
  readonly head: string;
  /** What is wrong with the chain: empty when nothing is. */
  readonly faults: readonly string[];
}

const START = '0'.repeat(64);

/** All records in the order of their places, and whether they hang together. */
export async function readAudit(bucket: R2Bucket): Promise<AuditTrail> {
  const records: AuditRecord[] = [];
  const faults: string[] = [];
  let head = START;
  for (const key of await auditKeys(bucket)) {
    const bytes = Buffer.from((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
    const record = parseRecord(bytes);
    if (!record) {
      faults.push(`${key} is not a record`);
      head = sha256(bytes);
      continue;
    }
    if (key !== auditKey(record.sequence)) faults.push(`${key} says that it is number ${record.sequence}`);
    if (record.previous !== head) faults.push(`${key} does not follow from the record before it`);
    head = sha256(bytes);
    records.push(record);
  }
  return { records, head, faults };
}

/**
 * Writes down what is about to be done, behind the last record.
 *
 * @throws {Error} somebody else takes the same place at the same moment: of two, one can go on; or the chain is
 *   broken
 */
export async function writeAudit(bucket: R2Bucket, deed: Deed): Promise<void> {
  const { records, head, faults } = await readAudit(bucket);
  if (faults.length > 0) throw new Error(`the audit trail is broken: ${faults.join('; ')}`);
  const sequence = records.length + 1;
  const at = new Date().toISOString();
  const record: AuditRecord = { format: 'husky-ai/audit/1', sequence, previous: head, at, ...deed };
  const written = await bucket.put(auditKey(sequence), `${JSON.stringify(record)}\n`, {
    onlyIf: { etagDoesNotMatch: '*' },
    httpMetadata: { contentType: 'application/json' },
  });
  if (!written) throw new Error('somebody else is publishing at this moment: try again');
}

async function auditKeys(bucket: R2Bucket): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix: auditKey(), ...(cursor === undefined ? {} : { cursor }) });
    keys.push(...page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return keys.sort();
}

function parseRecord(bytes: Buffer): AuditRecord | undefined {
  try {
    return AuditRecord.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const { target } = bucketArguments();
  const { records, head, faults } = await withBucket(target, readAudit);
  for (const { sequence, at, action, channel, version, from, signer, tool } of records) {
    const move = `${from ? shortVersion(from) : 'nothing'} -> ${shortVersion(version)}`;
    console.log(
      `${sequence}  ${at}  ${action.padEnd(8)}  ${channel}  ${move}  key ${shortVersion(signer)}  ${tool}`,
    );
  }
  console.log(`${records.length} records, the last one is ${head}`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) runCommand(main);
