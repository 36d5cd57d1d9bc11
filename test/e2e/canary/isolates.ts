import { rm } from 'node:fs/promises';
import type { R2Bucket } from '@cloudflare/workers-types';
import * as z from 'zod';
import { type Bundle, createStore, type Store, startWorkerd } from '../../../bench/workerd.ts';
import { withBucket } from '../../../registry/bucket.ts';
import { abortCanary, startCanary } from '../../../registry/canary.ts';
import { DEFAULT_CHANNEL } from '../../../registry/command.ts';
import { publish } from '../../../registry/publish.ts';
import { readRelease } from '../../../registry/release.ts';
import { createSignature } from '../../../registry/sign.ts';
import { solidPng } from '../../pictures/png.ts';
import { type TinyModel, tinyRelease } from '../page-models.ts';

/** workerd processes that run at the same time, over one bucket. */
const PROCESSES = 2;

/** What the isolates of one or more rounds did. */
export interface Survey {
  isolates: number;
  /** Isolates that served the candidate. */
  candidates: number;
  /** Isolates that drew the candidate and refused it. */
  refusals: number;
  requests: number;
  /** What should not happen: answers other than 200, or isolates that served two versions. */
  readonly faults: string[];
}

export const noSurvey = (): Survey => ({ isolates: 0, candidates: 0, refusals: 0, requests: 0, faults: [] });

const Answer = z.object({ model: z.object({ version: z.string() }) });
const Model = z.object({ version: z.string(), role: z.enum(['stable', 'candidate']) });

/** A bucket whose stable version is a tiny model. */
export class CanaryScene {
  readonly store: Store;
  readonly modules: Bundle;

  private constructor(store: Store, modules: Bundle) {
    this.store = store;
    this.modules = modules;
  }

  static async create(modules: Bundle): Promise<CanaryScene> {
    const folder = await tinyRelease('brightness');
    const scene = new CanaryScene(await createStore(folder), modules);
    await rm(folder, { recursive: true });
    return scene;
  }

  remove(): Promise<void> {
    return this.store.remove();
  }

  bucket<T>(use: (bucket: R2Bucket) => Promise<T>): Promise<T> {
    return withBucket({ persistTo: this.store.folder }, use);
  }

  /**
   * Gives the channel a candidate, in place of any before.
   *
   * @param spoil changes its files in the bucket after all checks
   */
  async startCanary(model: TinyModel, share: number, spoil?: (bucket: R2Bucket, version: string) => Promise<unknown>) {
    const { key } = this.store;
    const folder = await tinyRelease(model);
    const release = await readRelease(folder);
    await rm(folder, { recursive: true });
    await this.bucket(async (bucket) => {
      await publish(bucket, release, createSignature(release, key), [key.publicKey], 'next');
      await startCanary(bucket, DEFAULT_CHANNEL, release.version, { share, keys: [key.publicKey] });
      await spoil?.(bucket, release.version);
    });
  }

  async abortCanary(): Promise<void> {
    await this.bucket((bucket) => abortCanary(bucket, DEFAULT_CHANNEL));
  }

  /** Starts new isolates in several processes, sends each some photos, and adds what they did to the survey. */
  async survey(found: Survey, { isolates = 8, photos = 5 } = {}): Promise<void> {
    const onLog = (line: string) => {
      if (line.includes('"candidate":"refused"')) found.refusals++;
    };
    const start = () => startWorkerd(this.modules, this.store, { isolates, onLog });
    const processes = [];
    try {
      for (let started = 0; started < PROCESSES; started++) processes.push(await start());
      const photo = await solidPng([200, 200, 200], 32);
      for (const url of processes.flatMap(({ urls }) => urls)) await surveyIsolate(url, photo, photos, found);
    } finally {
      for (const each of processes) await each.stop();
    }
  }
}

async function surveyIsolate(url: string, photo: Uint8Array<ArrayBuffer>, photos: number, found: Survey) {
  const versions = new Set<string>();
  const send = async () => {
    const init = { method: 'POST', body: photo, headers: { 'Content-Type': 'image/png' } };
    const response = await fetch(`${url}/api/predict`, init);
    found.requests++;
    if (response.status !== 200) {
      found.faults.push(`${response.status} ${await response.text()}`);
      return;
    }
    versions.add(response.headers.get('X-Model-Version') ?? 'no version in the header');
    versions.add(Answer.parse(await response.json()).model.version);
  };
  // The first ones arrive while the model loads.
  await Promise.all([send(), send()]);
  for (let sent = 2; sent < photos; sent++) await send();
  const { version, role } = Model.parse(await (await fetch(`${url}/api/model`)).json());
  versions.add(version);
  if (versions.size !== 1) found.faults.push(`one isolate served ${[...versions].join(' and ')}`);
  found.isolates++;
  if (role === 'candidate') found.candidates++;
}

/**
 * The numbers of successes in `trials` that are not improbable: outside of them, on either side, lies less than half of
 * `tail` of the binomial distribution.
 */
export function likelyRange(trials: number, probability: number, tail = 1e-4): readonly [least: number, most: number] {
  const mass = [(1 - probability) ** trials];
  for (let k = 1; k <= trials; k++) {
    mass.push((((mass[k - 1] ?? 0) * (trials - k + 1)) / k) * (probability / (1 - probability)));
  }
  const within = (masses: readonly number[]) => {
    let sum = 0;
    return masses.findIndex((each) => {
      sum += each;
      return sum >= tail / 2;
    });
  };
  return [within(mass), trials - within(mass.toReversed())];
}
