import { now } from '../clock.ts';
import type { Config } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import type { PhotoMemory } from '../memory.ts';
import { type Classifier, createClassifier } from './classifier.ts';
import type { ModelStore, Pointer } from './store.ts';

/** Lets work outlive the request that began it, since other requests may wait for it. */
export type WaitUntil = (pending: Promise<unknown>) => void;

/** Why the channel is not followed. */
export interface Trouble {
  readonly error: ModelUnavailable | ModelUntrusted;
  readonly since: Date;
}

/**
 * What the host is doing. docs/architecture.md draws the transitions:
 *
 *     empty      → loading                        the first request
 *     loading    → serving                        the model proved itself
 *                → empty                          it failed or took too long
 *     serving    → exchanging                     the channel moved to a version that is verified
 *                → degraded                       the channel cannot be read, or its version is refused
 *     exchanging → serving                        the new version proved itself
 *                → degraded                       it did not, and the previous one is back
 *                → empty                          neither started, or it took too long
 *     degraded   → serving, exchanging, degraded  the channel was looked at again
 */
type State =
  | { readonly state: 'empty' }
  /** The first session is on its way. */
  | { readonly state: 'loading'; readonly outcome: Promise<Ready> }
  /** The old session is released, the next one is on its way. */
  | { readonly state: 'exchanging'; readonly outcome: Promise<Ready> }
  | Serving
  | Degraded;

type Pending = Extract<State, { outcome: unknown }>;
type Ready = Serving | Degraded;

interface Serving {
  readonly state: 'serving';
  readonly classifier: Classifier;
  /** The channel's pointer when it was last acted upon. */
  readonly etag: string;
  /** When to look at the channel again, by `now()`. */
  nextLook: number;
}

/** Serves a version other than the channel's, or one whose channel cannot be read. */
interface Degraded extends Omit<Serving, 'state'> {
  readonly state: 'degraded';
  readonly trouble: Trouble;
  /** Whether the version under `etag` was refused: it is not tried again. */
  readonly refused: boolean;
}

export interface ModelHostOptions {
  readonly store: ModelStore;
  /** Leases room for the model files while one version replaces another. */
  readonly memory: PhotoMemory;
  readonly config: Pick<Config, 'MODEL_REFRESH' | 'MODEL_LOAD_TIMEOUT'>;
}

/**
 * Holds the one classifier of an isolate. The first request that needs it loads it, all later ones share it, and it
 * is replaced when the channel moves to a version that proves itself.
 */
export class ModelHost {
  readonly #store: ModelStore;
  readonly #memory: PhotoMemory;
  readonly #config: ModelHostOptions['config'];
  #state: State = { state: 'empty' };

  constructor({ store, memory, config }: ModelHostOptions) {
    this.#store = store;
    this.#memory = memory;
    this.#config = config;
  }

  /** Why the channel is not followed; undefined when all is well. */
  get trouble(): Trouble | undefined {
    return this.#state.state === 'degraded' ? this.#state.trouble : undefined;
  }

  /**
   * The classifier. Requests that arrive while it loads share the load. A load that fails is forgotten, and so is one
   * that hangs: on Cloudflare it may have died, timers included, with the request that began it, so every waiting
   * request has its own timer.
   *
   * @throws {ModelUnavailable | ModelUntrusted} no model can be served
   */
  async classifier(waitUntil: WaitUntil): Promise<Classifier> {
    const current = this.#state;
    switch (current.state) {
      case 'empty':
        return this.#settled(this.#load(waitUntil));
      case 'loading':
      case 'exchanging':
        return this.#settled(current);
      case 'serving':
      case 'degraded':
        this.#followInTime(current, waitUntil);
        return current.classifier;
    }
  }

  /**
   * Fetches, verifies and tests what the channel points at now, even when a model is served already.
   *
   * @throws {ModelUnavailable | ModelUntrusted} a new isolate could not serve it
   */
  async check(waitUntil: WaitUntil): Promise<Classifier> {
    const { version } = await this.#readPointer();
    await this.#store.fetchVersion(version);
    const served = await this.classifier(waitUntil);
    const current = this.#state;
    if (served.version !== version && 'classifier' in current) await this.#follow(current, waitUntil);
    const latest = await this.classifier(waitUntil);
    if (this.trouble) throw this.trouble.error;
    await latest.selfTest();
    return latest;
  }

  /** Every transition: from the state that a step began in, unless another step has left it since. */
  #enter(from: State, to: State): boolean {
    if (this.#state !== from) return false;
    this.#state = to;
    return true;
  }

  /** empty → loading */
  #load(waitUntil: WaitUntil): Pending {
    return this.#begin('loading', waitUntil, async (isWanted) => {
      const { version, etag } = await this.#readPointer();
      const model = await this.#store.fetchVersion(version);
      if (!isWanted()) throw new ModelUnavailable('Loading the model took too long.');
      return this.#serving(await createClassifier(model), etag);
    });
  }

  #followInTime(current: Ready, waitUntil: WaitUntil): void {
    if (now() < current.nextLook) return;
    const { MODEL_REFRESH, MODEL_LOAD_TIMEOUT } = this.#config;
    // Late enough for this look to end, but not never: the platform may cancel its request.
    current.nextLook = now() + Math.max(MODEL_REFRESH, 2 * MODEL_LOAD_TIMEOUT);
    waitUntil(this.#follow(current, waitUntil));
  }

  /** Looks at the channel and follows it. Never throws: what is served stays served. */
  async #follow(from: Ready, waitUntil: WaitUntil): Promise<void> {
    let pointer: Pointer | undefined;
    try {
      pointer = await this.#store.readPointer(from.etag);
      if (pointer && pointer.version !== from.classifier.version) {
        await this.#exchange(from, pointer, waitUntil);
      } else if (!pointer && from.state === 'degraded' && from.refused) {
        from.nextLook = now() + this.#config.MODEL_REFRESH;
      } else {
        this.#enter(from, this.#serving(from.classifier, pointer?.etag ?? from.etag));
      }
    } catch (error) {
      this.#enter(from, this.#degraded(from, error, pointer));
    }
  }

  /**
   * Replaces the served version once the new one is verified. ONNX Runtime's memory never shrinks, so the old session
   * is released before the new one is created; the old model's bytes are at hand in case the new one fails.
   */
  async #exchange(from: Ready, pointer: Pointer, waitUntil: WaitUntil): Promise<void> {
    const { MODEL_LOAD_TIMEOUT } = this.#config;
    const { version, manifest } = from.classifier;
    const bytes = manifest.files['model.onnx'].bytes + (await this.#store.sizeOf(pointer.version));
    const options = { duration: 2 * MODEL_LOAD_TIMEOUT, patience: MODEL_LOAD_TIMEOUT };
    const lease = await this.#memory.lease(bytes, options);
    try {
      const next = await this.#store.fetchVersion(pointer.version);
      const previous = await this.#store.fetchVersion(version);
      if (this.#state !== from) return;
      const { outcome } = this.#begin('exchanging', waitUntil, async () => {
        await from.classifier.release();
        try {
          return this.#serving(await createClassifier(next), pointer.etag);
        } catch (error) {
          const classifier = await createClassifier(previous);
          return { ...this.#degraded(from, error, pointer), classifier };
        }
      });
      await outcome;
    } finally {
      lease.release();
    }
  }

  /** Enters a pending state, and what `start` makes of it when that is done; empty when it fails. */
  #begin(
    state: Pending['state'],
    waitUntil: WaitUntil,
    start: (isWanted: () => boolean) => Promise<Ready>,
  ): Pending {
    const isWanted = () => this.#state === pending;
    const pending: Pending = { state, outcome: Promise.resolve().then(() => start(isWanted)) };
    this.#state = pending;
    const settled = pending.outcome.then(
      async (ready) => {
        // Nobody waited for it, so nobody would ever release it.
        if (!this.#enter(pending, ready)) await ready.classifier.release();
      },
      () => this.#enter(pending, { state: 'empty' }),
    );
    waitUntil(settled);
    return pending;
  }

  /** The classifier of a pending state; gives up on it after MODEL_LOAD_TIMEOUT. */
  async #settled(pending: Pending): Promise<Classifier> {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#enter(pending, { state: 'empty' });
        reject(new ModelUnavailable('Loading the model takes too long.'));
      }, this.#config.MODEL_LOAD_TIMEOUT);
    });
    try {
      return (await Promise.race([pending.outcome, expired])).classifier;
    } finally {
      clearTimeout(timer);
    }
  }

  #serving(classifier: Classifier, etag: string): Serving {
    return { state: 'serving', classifier, etag, nextLook: now() + this.#config.MODEL_REFRESH };
  }

  #degraded(from: Ready, cause: unknown, pointer: Pointer | undefined): Degraded {
    const before = from.state === 'degraded' ? from : undefined;
    // Storage that fails may answer next time; a version that is refused is not tried again.
    const refused = pointer !== undefined && cause instanceof ModelUntrusted;
    const error =
      cause instanceof ModelUntrusted || cause instanceof ModelUnavailable
        ? cause
        : new ModelUnavailable('The model could not be replaced.', { cause });
    return {
      ...this.#serving(from.classifier, refused ? pointer.etag : from.etag),
      state: 'degraded',
      trouble: { error, since: before?.trouble.since ?? new Date() },
      refused: refused || before?.refused === true,
    };
  }

  async #readPointer(): Promise<Pointer> {
    const pointer = await this.#store.readPointer();
    if (!pointer) throw new ModelUnavailable('No model is published.');
    return pointer;
  }
}
