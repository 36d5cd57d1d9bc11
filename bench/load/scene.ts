import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import type { Picture } from '../pictures.ts';
import { Client } from '../request.ts';
import { type Bundle, type Store, startWorkerd, type Workerd } from '../workerd.ts';
import { Crowd } from './crowd.ts';
import type { Versions } from './versions.ts';

/** What bench/worker/faulty-bucket.js can do to reads; what is left out is as it should be. */
export interface BucketFaults {
  readonly delay?: number;
  readonly failing?: number;
  readonly of?: number;
  readonly files?: 'half' | 'damaged';
}

/** A fault and what is expected of the Worker in spite of it. */
export interface Fault {
  readonly name: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly clients?: number;
  /** The answers that clients get, each of them, and those that they may get. */
  readonly answers: readonly string[];
  readonly mayAnswer?: readonly string[];
  /** What the health endpoint may say, and must have said each. */
  readonly health: readonly string[];
  /** Whether memory is to be looked at afterwards. */
  readonly inspect?: boolean;
  /** Brings it about, and sees to it that it passes; @returns how it was got over, in words. */
  play(scene: Scene): Promise<string>;
  /** What is wrong from the first request on. */
  readonly from?: BucketFaults;
}

/** What was seen while a fault was played. */
export interface Seen {
  readonly fault: string;
  readonly clients: number;
  readonly answers: Record<string, number>;
  readonly health: string[];
  readonly recovered: string;
}

export interface Stage {
  readonly modules: Bundle;
  readonly store: Store;
  readonly versions: Versions;
  readonly right: ReadonlyMap<Picture, ReadonlySet<string>>;
  readonly large: Picture;
}

const CLIENTS = 8;
/** How often an isolate looks at its channel, where a fault does not say otherwise; milliseconds. */
const REFRESH = '500';
const LOOK = 200;
const PATIENCE = 150_000;

const Health = z.object({
  status: z.union([z.string(), z.number()]),
  code: z.string().optional(),
  reason: z.object({ code: z.string() }).optional(),
});

const Served = z.object({ digest: z.string() });

/** One workerd with a crowd before it, and something wrong. */
export class Scene {
  readonly stage: Stage;
  readonly workerd: Workerd;
  readonly crowd: Crowd;
  /** Whatever was not as it should be. */
  readonly wrong: string[] = [];
  readonly #health = new Set<string>();
  #url: string;

  constructor(stage: Stage, workerd: Workerd, crowd: Crowd) {
    this.stage = stage;
    this.workerd = workerd;
    this.crowd = crowd;
    this.#url = workerd.url;
  }

  get url(): string {
    return this.#url;
  }

  get health(): string[] {
    return [...this.#health];
  }

  /** Where the Worker is now. */
  async locate(): Promise<string> {
    this.#url = (await this.workerd.current()).url;
    return this.#url;
  }

  faults(faults: BucketFaults): Promise<void> {
    return this.#post('/bench/faults', JSON.stringify(faults));
  }

  /** Sets the Worker's clock this many milliseconds ahead. */
  clock(ahead: number): Promise<void> {
    return this.#post('/bench/clock', String(ahead));
  }

  wait(milliseconds: number): Promise<void> {
    return setTimeout(milliseconds);
  }

  /** @returns seconds until this version is served and all is well */
  untilServed(version: string): Promise<string> {
    return this.until(`${version.slice(0, 12)} is served`, async () => {
      const health = await this.look();
      if (health !== 'ok') return false;
      const { body } = await this.ask('/api/model');
      return Served.safeParse(JSON.parse(body)).data?.digest === version;
    });
  }

  /** @returns seconds until it holds */
  async until(what: string, holds: () => Promise<boolean>): Promise<string> {
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE) {
      if (await holds().catch(() => false)) return ((performance.now() - begun) / 1000).toFixed(1);
      await setTimeout(LOOK);
    }
    this.wrong.push(`never: ${what}`);
    return 'never';
  }

  /** @returns seconds until the health endpoint says so */
  untilHealth(wanted: string): Promise<string> {
    return this.until(`health is ${wanted}`, async () => (await this.look()) === wanted);
  }

  expect(what: string, holds: boolean): void {
    if (!holds) this.wrong.push(`not so: ${what}`);
  }

  async ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const client = new Client(this.#url);
    try {
      const { status, body } = await client.get(path);
      return { status, body: body.toString() };
    } finally {
      client.close();
    }
  }

  /** What the health endpoint says: `ok`, `degraded model_untrusted`, `503 model_unavailable`. */
  async look(): Promise<string> {
    const { body } = await this.ask('/api/health');
    const { status, code, reason } = Health.parse(JSON.parse(body));
    const said = [status, code ?? reason?.code].filter((each) => each !== undefined).join(' ');
    this.#health.add(said);
    return said;
  }

  async #post(path: string, body: string): Promise<void> {
    const client = new Client(this.#url);
    try {
      const { status } = await client.post(path, { bytes: Buffer.from(body), type: 'application/json' });
      if (status !== 204) throw new Error(`${path} answers ${status}`);
    } finally {
      client.close();
    }
  }
}

/** Plays one fault in a fresh process. @returns what was seen, and whatever was not as expected */
export async function play(
  stage: Stage,
  fault: Fault,
): Promise<{ readonly seen: Seen; readonly wrong: readonly string[] }> {
  await stage.versions.promote(stage.versions.first);
  const workerd = await startWorkerd(stage.modules, stage.store, {
    vars: { MODEL_REFRESH: REFRESH, ...fault.vars },
    inspect: fault.inspect ?? false,
  });
  const crowd = new Crowd(stage.right);
  const scene = new Scene(stage, workerd, crowd);
  const clients = fault.clients ?? CLIENTS;
  try {
    if (fault.from) await scene.faults(fault.from);
    else await scene.untilServed(stage.versions.first);
    crowd.start(clients, () => scene.locate());
    const recovered = await fault.play(scene);
    await crowd.end();
    const last = await scene.look();
    const unexpected = Object.keys(crowd.counts).filter(
      (key) => ![...fault.answers, ...(fault.mayAnswer ?? [])].includes(key),
    );
    const never = fault.answers.filter((key) => !(key in crowd.counts));
    const wrong = [
      ...scene.wrong,
      ...crowd.wrong,
      ...unexpected.map((key) => `${crowd.counts[key]} x ${key}`),
      ...never.map((key) => `never answered: ${key}`),
      ...scene.health.filter((said) => !fault.health.includes(said)).map((said) => `health said ${said}`),
      ...fault.health
        .filter((said) => !scene.health.includes(said))
        .map((said) => `health never said ${said}`),
      ...(last === 'ok' ? [] : [`health says ${last} in the end`]),
    ].map((what) => `${fault.name}: ${what}`);
    const seen = { fault: fault.name, clients, answers: crowd.counts, health: scene.health, recovered };
    return { seen, wrong };
  } finally {
    await crowd.end();
    await workerd.stop();
  }
}
