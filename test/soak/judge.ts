import * as z from 'zod';
import type { Answer } from './client.ts';
import type { Case } from './requests.ts';

/** How an answer counts. */
export type Verdict = '200' | '4xx' | 'busy' | 'cut' | { readonly wrong: string };

/** The answer that a request gets from an idle service. */
export interface Reference {
  readonly key: string;
  readonly body: string;
}

/** A client that gets one of these only has to come back later, and must be told when. */
const BUSY = ['429 rate_limited', '503 overloaded'];

const Problem = z.object({ code: z.string() });
const Batch = z.array(z.looseObject({ code: z.string().optional() }));

/** The status, followed by the code of a problem: `422 malformed_image`. */
export function keyOf({ status, headers, body }: Answer): string {
  if (!headers['content-type']?.startsWith('application/problem+json')) return String(status);
  return `${status} ${Problem.parse(JSON.parse(body.toString())).code}`;
}

/** Whether the answer names the seconds to wait. */
export const hasRetryAfter = ({ headers }: Answer): boolean => /^[1-9]\d*$/.test(headers['retry-after'] ?? '');

/** Compares an answer with the reference, byte for byte; without a reference, any allowed status and code will do. */
export function judge(
  answer: Answer,
  { allowed, allowedBusy = [] }: Pick<Case, 'allowed' | 'allowedBusy'>,
  reference?: Reference,
): Verdict {
  const key = keyOf(answer);
  if (BUSY.includes(key)) return hasRetryAfter(answer) ? 'busy' : { wrong: `${key} without Retry-After` };
  const expected = [...(reference ? [reference.key] : allowed), ...allowedBusy];
  if (!expected.includes(key)) return { wrong: `${key} instead of ${expected.join(' or ')}` };
  if (key !== '200') return '4xx';
  const body = answer.body.toString();
  if (!reference || body === reference.body) return '200';
  if (isPartlyBusy(body, reference.body)) return 'busy';
  return { wrong: `${body.slice(0, 160)} instead of ${reference.body.slice(0, 160)}` };
}

/** Whether both are batches that differ only in photos for which there was no memory. */
function isPartlyBusy(body: string, expected: string): boolean {
  const [found, wanted] = [body, expected].map((text) => Batch.safeParse(JSON.parse(text)).data);
  if (!found || found.length !== wanted?.length) return false;
  return found.every((entry, i) => entry.code === 'overloaded' || JSON.stringify(entry) === JSON.stringify(wanted[i]));
}
