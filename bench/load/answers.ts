import type { Incoming } from './exchange.ts';
import type { Case } from './kinds.ts';

/** How the answer to a request counts. */
export type Column = '200' | '4xx' | 'busy' | 'cut' | 'wrong';

export interface Verdict {
  readonly column: Column;
  /** What is wrong with it. */
  readonly reason?: string;
}

/** What a case is answered with when nothing else goes on. */
export interface Reference {
  readonly key: string;
  /** The whole answer, where it is one and not a problem. */
  readonly body: string;
}

/** What `429` and `503` ask for is only to come back later, so both must say when. */
const BUSY = ['429 rate_limited', '503 overloaded'];

/** The status, and the code of a problem: `422 malformed_image`. */
export function keyOf({ status, headers, body }: Incoming): string {
  if (!headers['content-type']?.startsWith('application/problem+json')) return String(status);
  const { code } = parse(body.toString());
  return `${status} ${code}`;
}

/**
 * Holds an answer against what it must be: the reference, to the last byte. A photo may be refused because the
 * service is busy, if it is told when to come again.
 */
export function judge(
  answer: Incoming,
  { allowed, allowedBusy = [] }: Case,
  reference: Reference | undefined,
): Verdict {
  const key = keyOf(answer);
  if (BUSY.includes(key)) {
    const again = answer.headers['retry-after'] ?? '';
    return /^[1-9]\d*$/.test(again) ? { column: 'busy' } : wrong(`${key} without Retry-After`);
  }
  const expected = [...(reference ? [reference.key] : allowed), ...allowedBusy];
  if (!expected.includes(key)) return wrong(`${key} instead of ${expected.join(' or ')}`);
  if (key !== '200') return { column: '4xx' };
  const body = answer.body.toString();
  if (!reference || body === reference.body) return { column: '200' };
  return isPartlyBusy(body, reference.body)
    ? { column: 'busy' }
    : wrong(`${excerpt(body)} instead of ${excerpt(reference.body)}`);
}

/** Whether both are batches, equal but for photos that there was no room for. */
function isPartlyBusy(body: string, expected: string): boolean {
  const [found, wanted] = [parse(body), parse(expected)];
  if (!Array.isArray(found) || !Array.isArray(wanted) || found.length !== wanted.length) return false;
  return found.every(
    (entry, i) => entry?.code === 'overloaded' || JSON.stringify(entry) === JSON.stringify(wanted[i]),
  );
}

const wrong = (reason: string): Verdict => ({ column: 'wrong', reason });

const excerpt = (body: string): string => body.slice(0, 160);

/** The value of the JSON; an empty object for what is none. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
