import { now } from '../clock.ts';
import type { Config } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import type { PhotoMemory } from '../memory.ts';
import { type Classifier, createClassifier } from './classifier.ts';
import type { ModelStore, Pointer } from './store.ts';

/** Lets work outlive the request that began it, since other requests may wait for it. */
export type WaitUntil = (pending: Promise<unknown>) => void;

/** Why the channel is not followed. */
interface Trouble {
  readonly error: ModelUnavailable | ModelUntrusted;
  readonly since: Date;
}

/**
 * docs/architecture.md draws the transitions:
 *
 *     empty      → loading                        the first request
 *     loading    → serving, empty                 the model passed its probes; it failed or timed out
 *     serving    → exchanging, degraded           a new version is verified; it is refused, or storage fails
 *     exchanging → serving, degraded, empty       it passed; it failed and the old one is back; neither started
 *     degraded   → serving, exchanging, degraded  the channel was read again
 */
type State = { readonly state: 'empty' } | Pending | Ready;
type Ready = Serving | Degraded;

/** A first session is being created, or the next one after the old one was released. */
interface Pending {
  readonly state: 'loading' | 'exchanging';
  readonly outcome: Promise<Ready>;
}

interface Serving {
  readonly state: 'serving';
  readonly classifier: Classifier;
  /** The channel's pointer when it was last acted upon. */
  readonly etag: string;
  /** When to read the channel again, by `now()`. */
  nextLook: number;
}

interface Degraded extends Omit<Serving, 'state'> {
  readonly state: 'degraded';
  readonly trouble: Trouble;
  /** Whether the version under `etag` was refused: it is not tried again. */
  readonly refused: boolean;
}

interface HostOptions {
  readonly store: ModelStore;
  /** Leases room for the model files while one version replaces another. */
  readonly memory: PhotoMemory;
  readonly config: Pick<Config, 'MODEL_REFRESH' | 'MODEL_LOAD_TIMEOUT'>;
}

/** Holds the one classifier of an isolate: loads it on the first request and follows the channel from then on. */
export class ModelHost {
  readonly #store: ModelStore;
  readonly #memory: PhotoMemory;
  readonly #config: HostOptions['config'];
  #state: State = { state: 'empty' };

  constructor({ store, memory, config }: HostOptions) {
    this.#store = store;
    this.#memory = memory;
    this.#config = config;
  }

  /** Why the channel is not followed; undefined when it is. */
  get trouble(): Trouble | undefined {
    return this.#state.state === 'degraded' ? this.#state.trouble : undefined;
  }

  /**
   * Returns the classifier. Requests that arrive while it loads share the load. Every one has its own timer: on
   * Cloudflare, the load may have died together with the request that began it.
   *
   * @throws {ModelUnavailable | ModelUntrusted} no model can be served; the next call tries again
   */
  async classifier(waitUntil: WaitUntil): Promise<Classifier> {
    const current = this.#state;
    switch (current.state) {
      case 'empty':
        return this.#settle(this.#load(waitUntil));
      case 'loading':
      case 'exchanging':
        return this.#settle(current);
      case 'serving':
      case 'degraded':
        this.#followInTime(current, waitUntil);
        return current.classifier;
    }
  }

  /**
   * Fetches, verifies and tests what the channel points at now, even if a model is served already.
   *
   * @throws {ModelUnavailable | ModelUntrusted} a new isolate could not serve it
   */
  async check(waitUntil: WaitUntil): Promise<Classifier> {
    const { version } = await this.#store.readPointer();
    await this.#store.fetchVersion(version);
    const served = await this.classifier(waitUntil);
    const current = this.#state;
    if (served.version !== version && 'classifier' in current) await this.#follow(current, waitUntil);
    const latest = await this.classifier(waitUntil);
    if (this.trouble) throw this.trouble.error;
    await latest.selfTest();
    return latest;
  }

  /** Every transition: takes effect only if the state is still the one that the step began in. */
  #enter(from: State, to: State): boolean {
    if (this.#state !== from) return false;
    this.#state = to;
    return true;
  }

  #load(waitUntil: WaitUntil): Pending {
    return this.#begin('loading', waitUntil, async (isCurrent) => {
      const { version, etag } = await this.#store.readPointer();
      const model = await this.#store.fetchVersion(version);
      if (!isCurrent()) throw new ModelUnavailable('Loading the model took too long.');
      return this.#serving(await createClassifier(model), etag);
    });
  }

  #followInTime(current: Ready, waitUntil: WaitUntil): void {
    if (now() < current.nextLook) return;
    const { MODEL_REFRESH, MODEL_LOAD_TIMEOUT } = this.#config;
    // Late enough for this look to finish, yet finite: the platform may cancel its request.
    current.nextLook = now() + Math.max(MODEL_REFRESH, 2 * MODEL_LOAD_TIMEOUT);
    waitUntil(this.#follow(current, waitUntil));
  }

  /** Reads the channel and follows it. Never throws: what is served stays served. */
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
   * is released before the new one is created; the old model's bytes are kept in case the new one fails.
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

  /** Enters a pending state, then the one that `start` returns; empty if it fails. */
  #begin(state: Pending['state'], waitUntil: WaitUntil, start: (isCurrent: () => boolean) => Promise<Ready>): Pending {
    const isCurrent = () => this.#state === pending;
    const pending: Pending = { state, outcome: Promise.resolve().then(() => start(isCurrent)) };
    this.#state = pending;
    const settled = pending.outcome.then(
      async (ready) => {
        // Every request has given up on it, so nobody else would release it.
        if (!this.#enter(pending, ready)) await ready.classifier.release();
      },
      () => this.#enter(pending, { state: 'empty' }),
    );
    waitUntil(settled);
    return pending;
  }

  async #settle(pending: Pending): Promise<Classifier> {
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
    const isModelFailure = cause instanceof ModelUntrusted || cause instanceof ModelUnavailable;
    const error = isModelFailure ? cause : new ModelUnavailable('The model could not be replaced.', { cause });
    return {
      ...this.#serving(from.classifier, refused ? pointer.etag : from.etag),
      state: 'degraded',
      trouble: { error, since: before?.trouble.since ?? new Date() },
      refused: refused || before?.refused === true,
    };
  }
}
