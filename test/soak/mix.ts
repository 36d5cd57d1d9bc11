import { setTimeout } from 'node:timers/promises';
import { seeded } from '../random.ts';
import { Client, CUT, pipeline } from './client.ts';
import { judge, keyOf, type Reference, type Verdict } from './judge.ts';
import { at, type Case, type Kind } from './requests.ts';

/** The number of answers of each sort. */
export type Tally = Record<Exclude<Verdict, object> | 'wrong', number>;

export interface MixOptions {
  readonly url: string;
  readonly kinds: readonly Kind[];
  readonly requests: number;
  readonly clients: number;
  readonly seed: number;
  /** How often all clients pause while `pause` runs. */
  readonly pauses: number;
  pause(requests: number): Promise<void>;
}

export interface MixResult {
  readonly tallies: ReadonlyMap<Kind, Tally>;
  /** What is wrong, in words. */
  readonly wrong: readonly string[];
  readonly requests: number;
}

/** Complaints beyond these only repeat them. */
const MAX_WRONG = 30;
/** After this many milliseconds the load is over, and the service refuses nothing for want of memory. */
const QUIET = 1_000;

/**
 * Sends each case once to the idle service and keeps the answer. Then many clients send all of them in a seeded mix; then
 * each is sent once more to the idle service. No answer may ever differ.
 */
export async function sendMix(options: MixOptions): Promise<MixResult> {
  const { url, kinds, requests, clients, seed, pauses, pause } = options;
  const tallies = new Map<Kind, Tally>(
    kinds.map((kind) => [kind, { '200': 0, '4xx': 0, busy: 0, cut: 0, wrong: 0 }]),
  );
  const wrong: string[] = [];
  const complain = (kind: Kind, reason: string) => {
    if (wrong.length < MAX_WRONG) wrong.push(`${kind.name}: ${reason}`);
  };
  const references = await takeReferences(url, kinds, complain);
  const draw = drawFrom(kinds, seed);
  const connections = Array.from({ length: clients }, () => new Client(url));
  let sent = 0;

  const perform = async (client: Client, job: Job) => {
    const verdicts = await send(url, client, job, references).catch((error: unknown) =>
      job.cases.map((): Verdict => ({ wrong: `no answer: ${error}` })),
    );
    for (const verdict of verdicts) {
      const tally = tallies.get(job.kind);
      if (tally) tally[typeof verdict === 'string' ? verdict : 'wrong']++;
      if (typeof verdict !== 'string') complain(job.kind, verdict.wrong);
    }
  };

  const sendUntil = async (client: Client, count: number) => {
    while (sent < count) {
      const job = draw();
      sent += job.cases.length;
      await perform(client, job);
    }
  };

  try {
    for (let i = 1; i <= pauses; i++) {
      await Promise.all(connections.map((client) => sendUntil(client, Math.ceil((requests * i) / pauses))));
      await pause(sent);
    }
    await setTimeout(QUIET);
    const [client] = connections;
    for (const kind of kinds) {
      for (const each of kind.cases) {
        const reference = references.get(each);
        if (!client || !reference) continue;
        const verdict = judge(await client.send(each.outgoing), each, reference);
        if (typeof verdict !== 'string') complain(kind, `afterwards: ${verdict.wrong}`);
        else if (verdict === 'busy') complain(kind, 'afterwards: busy');
      }
    }
  } finally {
    for (const client of connections) await client.close();
  }
  return { tallies, wrong, requests: sent };
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
    const closed: Verdict = answers.some((answer) => answer?.status === 503)
      ? 'busy'
      : { wrong: 'no answer' };
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
      const key = keyOf(answer);
      if (!each.allowed.includes(key)) complain(kind, `idle: ${key} instead of ${each.allowed.join(' or ')}`);
      references.set(each, { key, body: answer.body.toString() });
    }
  }
  return references;
}
