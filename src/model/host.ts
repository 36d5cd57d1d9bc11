import { now } from '../clock.ts';
import type { Config, Env } from '../config.ts';
import { type Failure, ModelUnavailable, ModelUntrusted } from '../errors.ts';
import type { PhotoMemory } from '../memory.ts';
import { type Classifier, createClassifier } from './classifier.ts';
import { fetchVersion, type Pointer, readPointer, sizeOf } from './store.ts';

/** What a call of the host needs of the request that makes it. */
export interface Caller {
  readonly env: Env;
  readonly config: Config;
  /** Lets work outlive the request: others may wait for it. */
  waitUntil(pending: Promise<unknown>): void;
}

/** Why the version that the channel points at is not served. */
export interface Trouble {
  readonly error: Failure;
  readonly since: Date;
}

/** A classifier that is served, or will be when its promise resolves. */
interface Slot {
  readonly classifier: Promise<Classifier>;
  /** Set once it serves. */
  serving?: Classifier;
  /** Set when its requests have stopped waiting: it must not start a session that nobody will release. */
  abandoned: boolean;
}

/**
 * Holds the one classifier of an isolate: loaded by the first request that needs it, kept for all later ones, and
 * exchanged when the channel moves to a version that proves itself.
 */
export class ModelHost {
  readonly #memory: PhotoMemory;
  #slot: Slot | undefined;
  /** The pointer as it was when it was last acted upon, and whether what it names was refused for good. */
  #etag: string | undefined;
  #refused = false;
  #nextLook = 0;
  #trouble: Trouble | undefined;

  /** @param memory lends the bytes that are in hand while the model is exchanged */
  constructor(memory: PhotoMemory) {
    this.#memory = memory;
  }

  /** Why an older version than the channel's is served; undefined when all is well. */
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /**
   * The classifier. What is kept is the promise, so requests that come while it loads share one load. A load
   * that fails is forgotten, and so is one that hangs: on the real platform it may have died with the request
   * that began it, timers and all, so everyone who waits has a timer of their own.
   *
   * @throws {ModelUnavailable | ModelUntrusted} there is no model that could be served
   */
  async classifier(caller: Caller): Promise<Classifier> {
    this.#slot ??= this.#open(caller, (slot) => this.#firstLoad(caller, slot));
    const slot = this.#slot;
    if (slot.serving) {
      this.#lookAgainInTime(caller, slot.serving);
      return slot.serving;
    }
    return this.#orForget(slot, caller.config.MODEL_LOAD_TIMEOUT);
  }

  /**
   * Fetches, verifies and tries what the channel points at now, in spite of what is served already.
   *
   * @throws {ModelUnavailable | ModelUntrusted} a new isolate would not be able to serve
   */
  async check(caller: Caller): Promise<Classifier> {
    const { version } = await currentPointer(caller);
    await fetchVersion(caller.env, caller.config, version);
    const serving = await this.classifier(caller);
    if (serving.version !== version) await this.#look(caller, serving);
    if (this.#trouble) throw this.#trouble.error;
    const latest = await this.classifier(caller);
    await latest.selfTest();
    return latest;
  }

  async #firstLoad(caller: Caller, slot: Slot): Promise<Classifier> {
    const { version, etag } = await currentPointer(caller);
    const model = await fetchVersion(caller.env, caller.config, version);
    if (slot.abandoned) throw new ModelUnavailable('Loading the model took too long.');
    const classifier = await createClassifier(model);
    this.#etag = etag;
    this.#nextLook = now() + caller.config.MODEL_REFRESH;
    return classifier;
  }

  #lookAgainInTime(caller: Caller, serving: Classifier): void {
    if (now() < this.#nextLook) return;
    // Far enough ahead for this look to end, but not for ever: its request may be cancelled.
    this.#nextLook = now() + Math.max(caller.config.MODEL_REFRESH, 2 * caller.config.MODEL_LOAD_TIMEOUT);
    caller.waitUntil(this.#look(caller, serving));
  }

  /** Looks at the pointer, and follows it if it has moved. Never throws: what is served goes on serving. */
  async #look(caller: Caller, serving: Classifier): Promise<void> {
    const { env, config } = caller;
    let pointer: Pointer | undefined;
    try {
      pointer = await readPointer(env, config, this.#etag);
      if (pointer && pointer.version !== serving.version) {
        const done = await this.#changeOver(caller, serving, pointer.version);
        if (!done) return;
      }
      if (pointer) {
        this.#etag = pointer.etag;
        this.#refused = false;
      }
      if (!this.#refused) this.#trouble = undefined;
    } catch (error) {
      this.#note(error);
      // A storage that fails may answer the next time; a version that is refused is not tried again.
      if (pointer && error instanceof ModelUntrusted) {
        this.#etag = pointer.etag;
        this.#refused = true;
      }
    }
    this.#nextLook = now() + config.MODEL_REFRESH;
  }

  /**
   * Exchanges the served version for another that has been verified. The old session is released before the new
   * one is created, since ONNX Runtime's memory never shrinks; the old bytes are in hand for the way back.
   *
   * @returns false: another look, which has begun before this one was through, has exchanged it already
   */
  async #changeOver(caller: Caller, serving: Classifier, version: string): Promise<boolean> {
    const { env, config } = caller;
    const bytes = serving.manifest.files['model.onnx'].bytes + (await sizeOf(env, version));
    const lease = await this.#memory.lease(bytes, {
      duration: 2 * config.MODEL_LOAD_TIMEOUT,
      patience: config.MODEL_LOAD_TIMEOUT,
    });
    try {
      const next = await fetchVersion(env, config, version);
      const previous = await fetchVersion(env, config, serving.version);
      if (this.#slot?.serving !== serving) return false;
      let refusal: unknown;
      const slot = this.#open(caller, async () => {
        await serving.release();
        return createClassifier(next).catch((error: unknown) => {
          refusal = error;
          return createClassifier(previous);
        });
      });
      this.#slot = slot;
      await slot.classifier;
      if (refusal) throw refusal;
      return true;
    } finally {
      lease.release();
    }
  }

  #note(error: unknown): void {
    const trouble =
      error instanceof ModelUntrusted || error instanceof ModelUnavailable
        ? error
        : new ModelUnavailable('The model could not be exchanged.', { cause: error });
    this.#trouble = { error: trouble, since: this.#trouble?.since ?? new Date() };
  }

  #open(caller: Caller, begin: (slot: Slot) => Promise<Classifier>): Slot {
    const slot: Slot = { abandoned: false, classifier: Promise.resolve().then(() => begin(slot)) };
    const settled = slot.classifier.then(
      async (classifier) => {
        slot.serving = classifier;
        // Nobody is going to ask for it any more.
        if (slot.abandoned) await classifier.release();
      },
      () => this.#forget(slot),
    );
    caller.waitUntil(settled);
    return slot;
  }

  async #orForget(slot: Slot, timeout: number): Promise<Classifier> {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#forget(slot);
        reject(new ModelUnavailable('Loading the model takes too long.'));
      }, timeout);
    });
    try {
      return await Promise.race([slot.classifier, expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  #forget(slot: Slot): void {
    slot.abandoned = true;
    if (this.#slot === slot) this.#slot = undefined;
  }
}

async function currentPointer({ env, config }: Caller): Promise<Pointer> {
  const pointer = await readPointer(env, config);
  if (!pointer) throw new ModelUnavailable('No model is published.');
  return pointer;
}
