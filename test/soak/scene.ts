import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import { type Bundle, type Store, startWorkerd, type Workerd } from '../../bench/workerd.ts';
import { withBucket } from '../../registry/bucket.ts';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { promote } from '../../registry/promote.ts';
import { publish } from '../../registry/publish.ts';
import { type Release, toRelease } from '../../registry/release.ts';
import { createSignature } from '../../registry/sign.ts';
import { digestFile } from '../../src/model/verification.ts';
import { Client } from './client.ts';
import { hasRetryAfter, keyOf } from './judge.ts';
import type { Photo } from './photos.ts';
import { at, upload } from './requests.ts';

type Bucket = Parameters<Parameters<typeof withBucket>[1]>[0];

/** Two published versions of the model, and the answers of both to each photo. */
export interface Stage {
  readonly modules: Bundle;
  readonly store: Store;
  readonly bucket: Bucket;
  /** Versions: the first is the committed model. */
  readonly first: string;
  readonly second: string;
  readonly right: ReadonlyMap<Photo, ReadonlySet<string>>;
  /** Moves the channel as `npm run model:promote` does. */
  promote(version: string): Promise<unknown>;
}

/** Runs `use` with a second version published beside the first. */
export function withStage<T>(
  modules: Bundle,
  store: Store,
  photos: readonly Photo[],
  use: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { release, key } = store;
  return withBucket({ persistTo: store.folder }, async (bucket) => {
    const other = await changeResampling(release);
    const signature = createSignature(other, key);
    await publish(bucket, other, signature, [key.publicKey], DEFAULT_CHANNEL);
    const move = (version: string) => promote(bucket, DEFAULT_CHANNEL, version, [key.publicKey]);
    const right = new Map(photos.map((photo) => [photo, new Set<string>()]));
    for (const version of [release.version, other.version]) {
      await move(version);
      const workerd = await startWorkerd(modules, store);
      await using client = new Client(workerd.url);
      for (const photo of photos) {
        const { status, body } = await client.send(upload(photo));
        expect(status, photo.name).toBe(200);
        right.get(photo)?.add(body.toString());
      }
      await workerd.stop();
    }
    const [first, second] = [release.version, other.version];
    return use({ modules, store, bucket, first, second, right, promote: move });
  });
}

/** The same network with another resampling filter: its scores differ, and its probes, which skip the filter, still hold. */
async function changeResampling({ manifest, files }: Release): Promise<Release> {
  const resampling = manifest.input.resampling === 'bilinear' ? 'bicubic' : 'bilinear';
  const other = {
    ...manifest,
    name: `${manifest.name}-two`,
    input: { ...manifest.input, resampling },
  } as const;
  const file = await digestFile(Buffer.from(JSON.stringify(other)));
  return toRelease(new Map([...files, ['manifest.json', file]]));
}

/** How a scene starts. */
export interface SceneOptions {
  readonly vars?: Readonly<Record<string, string>>;
  readonly inspect?: boolean;
  readonly clients?: number;
  /** In force from the first request on. */
  readonly faults?: Readonly<Record<string, number | string>>;
}

const CLIENTS = 8;
/** Milliseconds between an isolate's checks of its channel. */
const MODEL_REFRESH = '500';
const POLL = 200;
const PATIENCE = 150_000;
/** After an answer other than 200: refusals must not crowd out the other answers. */
const PAUSE = 100;

const Health = z.object({
  status: z.union([z.string(), z.number()]),
  code: z.string().optional(),
  reason: z.object({ code: z.string() }).optional(),
});

/** A workerd process with clients that send photos one after the other and check each answer. */
export class Scene {
  readonly stage: Stage;
  readonly workerd: Workerd;
  /** The number of answers by status and code; `connection lost` where there was none. */
  readonly answers: Record<string, number> = {};
  /** What the health endpoint has reported. */
  readonly health = new Set<string>();
  readonly #wrong = new Set<string>();
  #url: string;
  #over = false;
  #clients: Promise<unknown> = Promise.resolve();

  private constructor(stage: Stage, workerd: Workerd) {
    this.stage = stage;
    this.workerd = workerd;
    this.#url = workerd.url;
  }

  static async start(stage: Stage, options: SceneOptions): Promise<Scene> {
    const { vars = {}, inspect = false, clients = CLIENTS, faults } = options;
    await stage.promote(stage.first);
    const workerd = await startWorkerd(stage.modules, stage.store, {
      vars: { MODEL_REFRESH, ...vars },
      inspect,
    });
    const scene = new Scene(stage, workerd);
    try {
      if (faults) await scene.setFaults(faults);
      else await scene.untilServed(stage.first);
    } catch (error) {
      await workerd.stop();
      throw error;
    }
    scene.#clients = Promise.all(Array.from({ length: clients }, (_, i) => scene.#sendPhotos(i)));
    return scene;
  }

  get url(): string {
    return this.#url;
  }

  /** Breaks what is named, and mends the rest: see test/soak/worker/faulty.js. */
  async setFaults(faults: Readonly<Record<string, number | string>>): Promise<void> {
    await using client = new Client(this.#url);
    const { status } = await client.post('/soak/faults', JSON.stringify(faults));
    expect(status).toBe(204);
  }

  /** Waits until this version is served in good health. */
  untilServed(version: string): Promise<void> {
    return this.until(`${version.slice(0, 12)} is served`, async () => {
      if ((await this.checkHealth()) !== 'ok') return false;
      await using client = new Client(this.#url);
      return z.object({ digest: z.string() }).safeParse(await client.json('/api/model')).data?.digest === version;
    });
  }

  untilHealth(wanted: string): Promise<void> {
    return this.until(`health is ${wanted}`, async () => (await this.checkHealth()) === wanted);
  }

  /** @throws {Error} it never holds */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const begun = performance.now();
    while (!(await holds().catch(() => false))) {
      if (performance.now() - begun > PATIENCE) throw new Error(`never: ${what}`);
      await setTimeout(POLL);
    }
  }

  /** What the health endpoint reports: `ok`, `degraded model_untrusted`, `503 model_unavailable`. */
  async checkHealth(): Promise<string> {
    await using client = new Client(this.#url);
    const { status, code, reason } = Health.parse(await client.json('/api/health'));
    const reported = [status, code ?? reason?.code].filter((each) => each !== undefined).join(' ');
    this.health.add(reported);
    return reported;
  }

  /** Finds the Worker again after a restart. */
  async locate(): Promise<string> {
    this.#url = (await this.workerd.current()).url;
    return this.#url;
  }

  /** Waits for the last answers. Every 200 must be right, and every 429 and 503 must name the seconds to wait. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#clients;
    expect([...this.#wrong]).toEqual([]);
    expect(await this.checkHealth()).toBe('ok');
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#clients;
    await this.workerd.stop();
  }

  async #sendPhotos(number: number): Promise<void> {
    const photos = [...this.stage.right.keys()];
    let client = new Client(this.#url);
    for (let i = number; !this.#over; i += 7) {
      const key = await this.#send(client, at(photos, i)).catch(() => 'connection lost');
      this.answers[key] = (this.answers[key] ?? 0) + 1;
      if (key === '200') continue;
      await setTimeout(PAUSE);
      if (key !== 'connection lost') continue;
      await client.close();
      client = new Client(await this.locate().catch(() => 'http://127.0.0.1:1'));
    }
    await client.close();
  }

  async #send(client: Client, photo: Photo): Promise<string> {
    const answer = await client.send(upload(photo));
    const key = keyOf(answer);
    const body = answer.body.toString();
    const right = this.stage.right.get(photo)?.has(body);
    const refusal = /^(429|503)/.test(key);
    if ((key === '200' && !right) || (refusal && !hasRetryAfter(answer))) {
      this.#wrong.add(`${photo.name}: ${key} ${body.slice(0, 160)}`);
    }
    return key;
  }
}
