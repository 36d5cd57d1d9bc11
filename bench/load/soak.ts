import { setTimeout } from 'node:timers/promises';
import { mulberry32 } from '../hostile.ts';
import { type Column, judge, keyOf, type Reference, type Verdict } from './answers.ts';
import { Connection, CUT, type Incoming, pipeline } from './exchange.ts';
import type { Case, Kind } from './kinds.ts';

/** How often each answer came. */
export type Tally = Readonly<Record<Column, number>>;

export interface SoakOptions {
  readonly url: string;
  readonly kinds: readonly Kind[];
  readonly requests: number;
  readonly concurrency: number;
  readonly seed: number;
  /** Called when all is known, and the load is about to begin. */
  begin(): void;
  /** How often the clients pause and `pause` is called. */
  readonly pauses: number;
  pause(requests: number): Promise<void>;
  progress(step: string, detail: string): void;
}

export interface SoakResult {
  /** By the kinds' names. */
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Whatever was not as it should be, in words. */
  readonly wrong: readonly string[];
  readonly requests: number;
}

const SAID = 30;
/** The load is over, so nothing is refused for want of room any more. */
const QUIET = 1_000;

/**
 * Asks each question once in quiet and keeps the answer, then asks all of them in a seeded mix from many clients at
 * once, then once more in quiet: no answer may ever be another one.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { url, kinds, requests, concurrency, seed, pauses } = options;
  const wrong: string[] = [];
  const complain = (kind: Kind, reason: string) => {
    if (wrong.length < SAID) wrong.push(`${kind.name}: ${reason}`);
  };
  const references = await takeReferences(options, complain);
  options.begin();
  const tallies = new Map(kinds.map(({ name }) => [name, emptyTally()]));
  const draw = lottery(kinds, seed);
  const connections = Array.from({ length: concurrency }, () => new Connection(url));
  const aside = new Set<Promise<void>>();
  let sent = 0;

  const count = (kind: Kind, { column, reason }: Verdict) => {
    const tally = tallies.get(kind.name);
    if (tally) tally[column]++;
    if (reason !== undefined) complain(kind, reason);
  };

  const ask = async (connection: Connection, { kind, cases, next }: Job) => {
    const verdicts = await perform(url, connection, kind, cases, next, references).catch((error: unknown) =>
      cases.map((): Verdict => ({ column: 'wrong', reason: `no answer: ${error}` })),
    );
    for (const verdict of verdicts) count(kind, verdict);
  };

  const client = async (connection: Connection, until: number) => {
    while (sent < until) {
      const job = draw();
      sent += job.cases.length;
      options.progress('under load', `${sent} of ${requests}`);
      if (!job.kind.aside) {
        await ask(connection, job);
        continue;
      }
      const own = new Connection(url);
      const long = ask(own, job).finally(() => {
        own.close();
        aside.delete(long);
      });
      aside.add(long);
    }
  };

  try {
    for (let pause = 1; pause <= pauses; pause++) {
      const until = Math.ceil((requests * pause) / pauses);
      await Promise.all(connections.map((connection) => client(connection, until)));
      if (pause === pauses) await Promise.all(aside);
      await options.pause(sent);
    }
    await setTimeout(QUIET);
    options.progress('asking again', '');
    await askAgain(url, kinds, references, complain);
  } finally {
    for (const connection of connections) connection.close();
  }
  return { tallies, wrong, requests: sent };
}

interface Job {
  readonly kind: Kind;
  readonly cases: readonly Case[];
  readonly next: () => number;
}

/** Draws what to send next: the same for the same seed, whatever the answers. */
function lottery(kinds: readonly Kind[], seed: number): () => Job {
  const next = mulberry32(seed);
  let total = 0;
  const ends = kinds.map(({ weight }) => {
    total += weight;
    return total;
  });
  const one = <T>(list: readonly T[]): T => {
    const drawn = list[Math.floor(next() * list.length)];
    if (drawn === undefined) throw new Error('a kind of request without cases');
    return drawn;
  };
  return () => {
    const at = next() * total;
    const kind = kinds.find((_, i) => at < (ends[i] ?? 0)) ?? one(kinds);
    const cases = Array.from({ length: kind.pipelined ?? 1 }, () => one(kind.cases));
    return { kind, cases, next: mulberry32(Math.floor(next() * 2 ** 32)) };
  };
}

async function perform(
  url: string,
  connection: Connection,
  { manner, pipelined }: Kind,
  cases: readonly Case[],
  next: () => number,
  references: ReadonlyMap<Case, Reference>,
): Promise<Verdict[]> {
  const verdictOf = (answer: Incoming | typeof CUT | undefined, i: number): Verdict => {
    if (answer === CUT) return { column: 'cut' };
    const asked = cases[i];
    if (!asked || !answer) return { column: 'wrong', reason: 'an answer too many or too few' };
    return judge(answer, asked, references.get(asked));
  };
  if (pipelined !== undefined) {
    const answers = await pipeline(
      url,
      cases.map(({ outgoing }) => outgoing),
    );
    return cases.map((_, i) => (i < answers.length ? verdictOf(answers[i], i) : { column: 'busy' }));
  }
  const [asked] = cases;
  if (!asked) return [];
  return [verdictOf(await connection.send(asked.outgoing, manner?.(next) ?? { kind: 'whole' }), 0)];
}

/** What each case is answered in quiet. */
async function takeReferences(
  { url, kinds, progress }: SoakOptions,
  complain: (kind: Kind, reason: string) => void,
): Promise<ReadonlyMap<Case, Reference>> {
  const references = new Map<Case, Reference>();
  const connection = new Connection(url);
  try {
    for (const kind of kinds) {
      if (kind.aside || kind.unanswered) continue;
      progress('asking in quiet', kind.name);
      for (const asked of kind.cases) {
        if (references.has(asked)) continue;
        const answer = await connection.send(asked.outgoing).catch((error: unknown) => String(error));
        if (typeof answer === 'string') {
          complain(kind, `in quiet: ${answer}`);
          continue;
        }
        const key = keyOf(answer);
        if (!asked.allowed.includes(key))
          complain(kind, `in quiet: ${key} instead of ${asked.allowed.join(' or ')}`);
        references.set(asked, { key, body: answer.body.toString() });
      }
    }
  } finally {
    connection.close();
  }
  return references;
}

async function askAgain(
  url: string,
  kinds: readonly Kind[],
  references: ReadonlyMap<Case, Reference>,
  complain: (kind: Kind, reason: string) => void,
): Promise<void> {
  const connection = new Connection(url);
  try {
    for (const kind of kinds) {
      for (const asked of kind.cases) {
        const reference = references.get(asked);
        if (!reference) continue;
        const answer = await connection.send(asked.outgoing);
        const { column, reason = column } = judge(answer, asked, reference);
        if (column === 'wrong' || column === 'busy') complain(kind, `afterwards: ${reason}`);
      }
    }
  } finally {
    connection.close();
  }
}

const emptyTally = (): Record<Column, number> => ({ 200: 0, '4xx': 0, busy: 0, cut: 0, wrong: 0 });
