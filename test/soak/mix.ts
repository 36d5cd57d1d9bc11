import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { seeded } from '../random.ts';
import { Client, CUT, pipeline } from './client.ts';
import { judge, keyOf, type Reference, type Verdict } from './judge.ts';
import { at, type Case, type Kind } from './requests.ts';

/** The number of answers of each sort. */
export type Tally = Record<Exclude<Verdict, object> | 'wrong', number>;

export interface MixResult {
  readonly requests: number;
  readonly tally: Tally;
  /** The kinds that were sent at least once. */
  readonly sent: ReadonlySet<Kind>;
  /** Milliseconds until honest photos were scored, by the kinds' `honest`. */
  readonly latencies: Readonly<Record<string, RecordableHistogram>>;
  /** What is wrong, in words. */
  readonly wrong: readonly string[];
}

const CLIENTS = 32;
/** Complaints beyond these only repeat them. */
const MAX_WRONG = 30;
/** After this many milliseconds the load is over, and the service refuses nothing for want of memory. */
const QUIET = 1_000;

/**
 * Sends each case once to the idle service and keeps the answer. Then many clients send all of them in a seeded mix; then
 * each is sent once more to the idle service. No answer may ever differ.
 *
 * @param pauses how often all clients pause while `pause` runs
 */
export async function sendMix(
  url: string,
  kinds: readonly Kind[],
  { requests, seed, pauses }: { readonly requests: number; readonly seed: number; readonly pauses: number },
  pause: () => Promise<void>,
): Promise<MixResult> {
  const tally: Tally = { '200': 0, '4xx': 0, busy: 0, cut: 0, wrong: 0 };
  const sent = new Set<Kind>();
  const latencies: Record<string, RecordableHistogram> = {};
  const wrong: string[] = [];
  const complain = (kind: Kind, reason: string) => {
    if (wrong.length < MAX_WRONG) wrong.push(`${kind.name}: ${reason}`);
  };
  const references = await takeReferences(url, kinds, complain);
  const draw = drawFrom(kinds, seed);
  const clients = Array.from({ length: CLIENTS }, () => new Client(url));
  let count = 0;

  const sendUntil = async (client: Client, limit: number) => {
    while (count < limit) {
      const job = draw();
      count += job.cases.length;
      sent.add(job.kind);
      const begun = performance.now();
      const verdicts = await send(url, client, job, references).catch((error: unknown) =>
        job.cases.map((): Verdict => ({ wrong: `no answer: ${error}` })),
      );
      if (job.kind.honest && verdicts.every((verdict) => verdict === '200')) {
        latencies[job.kind.honest] ??= createHistogram();
        latencies[job.kind.honest]?.record(Math.max(1, Math.round(performance.now() - begun)));
      }
      for (const verdict of verdicts) {
        tally[typeof verdict === 'string' ? verdict : 'wrong']++;
        if (typeof verdict !== 'string') complain(job.kind, verdict.wrong);
      }
    }
  };

  try {
    for (let i = 1; i <= pauses; i++) {
      await Promise.all(clients.map((client) => sendUntil(client, Math.ceil((requests * i) / pauses))));
      await pause();
    }
    await setTimeout(QUIET);
    for (const kind of kinds) {
      for (const each of kind.cases) {
        const reference = references.get(each);
        if (!reference) continue;
        const verdict = judge(await at(clients, 0).send(each.outgoing), each, reference);
        if (typeof verdict !== 'string') complain(kind, `afterwards: ${verdict.wrong}`);
        else if (verdict === 'busy') complain(kind, 'afterwards: busy');
      }
    }
  } finally {
    for (const client of clients) await client.close();
  }
  return { requests: count, tally, sent, latencies, wrong };
}

interface Job {
  readonly kind: Kind;
  readonly cases: readonly Case[];
  readonly next: () => number;
}

/** Draws what to send next: the same for the same seed, whatever the answers. */
function drawFrom(kinds: readonly Kind[], seed: number): () => Job {
  const next = seeded(seed);
  let total = 0;
  const ends = kinds.map(({ weight }) => {
    total += weight;
    return total;
  });
  const one = <T>(list: readonly T[]): T => at(list, Math.floor(next() * list.length));
  return () => {
    const drawn = next() * total;
    const kind = kinds.find((_, i) => drawn < (ends[i] ?? 0)) ?? one(kinds);
    const cases = Array.from({ length: kind.pipelined ?? 1 }, () => one(kind.cases));
    return { kind, cases, next: seeded(1 + Math.floor(next() * 2 ** 31)) };
  };
}

async function send(
  url: string,
  client: Client,
  { kind, cases, next }: Job,
  references: ReadonlyMap<Case, Reference>,
): Promise<Verdict[]> {
  if (kind.pipelined) {
    const answers = await pipeline(
      url,
      cases.map(({ outgoing }) => outgoing),
    );
    // After it has refused a request for want of memory, the service closes without reading the next ones.
    const closed: Verdict = answers.some((answer) => answer?.status === 503) ? 'busy' : { wrong: 'no answer' };
    return cases.map((each, i) => {
      const answer = answers[i];
      return answer ? judge(answer, each, references.get(each)) : closed;
    });
  }
  return Promise.all(
    cases.map(async (each) => {
      const answer = await client.send(each.outgoing, kind.manner?.(next) ?? { kind: 'whole' });
      return answer === CUT ? 'cut' : judge(answer, each, references.get(each));
    }),
  );
}

/** The answers of the idle service. */
async function takeReferences(
  url: string,
  kinds: readonly Kind[],
  complain: (kind: Kind, reason: string) => void,
): Promise<ReadonlyMap<Case, Reference>> {
  const references = new Map<Case, Reference>();
  await using client = new Client(url);
  for (const kind of kinds.filter(({ idle }) => idle !== false)) {
    for (const each of kind.cases.filter((one) => !references.has(one))) {
      const answer = await client.send(each.outgoing);
      const [key, body] = [keyOf(answer), answer.body.toString()];
      if (!each.allowed.includes(key)) {
        complain(kind, `idle: ${key} instead of ${each.allowed.join(' or ')}: ${body.slice(0, 300)}`);
      }
      references.set(each, { key, body });
    }
  }
  return references;
}
