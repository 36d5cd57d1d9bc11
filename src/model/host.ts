import { now } from '../clock.ts';
import type { Config } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { type Classifier, ClassifierReleased, createClassifier } from './classifier.ts';
import { type Choice, Draw, type Role } from './draw.ts';
import type { Manifest } from './manifest.ts';
import type { Runtime } from './runtime.ts';
import type { ModelStore, Pointer } from './store.ts';
import { networkBytes, runtimeMemory, type VerifiedModel } from './verification.ts';

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
 *     loading    → serving, degraded, empty       the model passed its probe; it failed and an older one passed; none did
 *     serving    → exchanging, degraded           a new version is verified; it is refused, or storage fails
 *     serving    → exchanging                     it failed a later probe
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
  readonly runtime: Runtime;
  /** Leases room for the model files while one version replaces another. */
  readonly memory: PhotoMemory;
  readonly config: Pick<Config, 'MODEL_REFRESH' | 'MODEL_LOAD_TIMEOUT' | 'MAX_MODEL_MEMORY_BYTES'>;
  /** Called when the isolate has drawn a candidate that it cannot serve. It serves the stable version instead. */
  readonly onCandidateRefused: (version: string, error: unknown) => void;
}

/** Holds the one classifier of an isolate: loads it on the first request and follows the channel from then on. */
export class ModelHost {
  readonly #store: ModelStore;
  readonly #runtime: Runtime;
  readonly #memory: PhotoMemory;
  readonly #config: HostOptions['config'];
  readonly #onCandidateRefused: HostOptions['onCandidateRefused'];
  readonly #draw = new Draw();
  #state: State = { state: 'empty' };
  /** Bytes that are set aside for the model, whatever ONNX Runtime takes at the moment. */
  #reserved: number;
  /** The last version that passed all its probes; before there is one, the first that was served. */
  #proven: string | undefined;
  /** Versions that failed when they ran. Trying one again would cost memory that only a new isolate has. */
  readonly #unfit = new Map<string, ModelUntrusted>();
  /** The test of each classifier. */
  readonly #tests = new WeakMap<Classifier, Promise<void>>();
  /** What each classifier is to the channel as it was last read. */
  readonly #roles = new WeakMap<Classifier, Role>();

  constructor({ store, runtime, memory, config, onCandidateRefused }: HostOptions) {
    this.#store = store;
    this.#runtime = runtime;
    this.#memory = memory;
    this.#config = config;
    this.#onCandidateRefused = onCandidateRefused;
    this.#reserved = config.MAX_MODEL_MEMORY_BYTES;
  }

  /** Bytes that ONNX Runtime takes already. */
  get leastBytes(): number {
    return this.#runtime.bytes;
  }

  /** Bytes that ONNX Runtime and the model take, or are about to take. */
  get bytes(): number {
    return Math.max(this.#runtime.bytes, this.#reserved);
  }

  /** What is served; undefined while nothing is. */
  get served(): Choice | undefined {
    const current = this.#state;
    return 'classifier' in current
      ? { version: current.classifier.version, role: this.roleOf(current.classifier) }
      : undefined;
  }

  roleOf(classifier: Classifier): Role {
    return this.#roles.get(classifier) ?? 'stable';
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
   * Runs all probes of the served model, once. Before its first answer only one has run. If one fails, the version is
   * not served any more.
   *
   * @throws {ModelUnavailable | ModelUntrusted} no model can be served
   */
  async test(waitUntil: WaitUntil): Promise<Classifier> {
    for (;;) {
      const classifier = await this.classifier(waitUntil);
      const test = this.#tests.get(classifier) ?? classifier.selfTest();
      this.#tests.set(classifier, test);
      try {
        await test;
        if (this.roleOf(classifier) === 'stable') this.#proven = classifier.version;
        return classifier;
      } catch (error) {
        // Another version replaced it, or is about to.
        if (error instanceof ModelUntrusted) this.#reject(classifier, error, waitUntil);
        else if (!(error instanceof ClassifierReleased)) throw error;
      }
    }
  }

  /**
   * Fetches, verifies and tests what the channel points at now, even if a model is served already.
   *
   * @throws {ModelUnavailable | ModelUntrusted} a new isolate could not serve it
   */
  async check(waitUntil: WaitUntil): Promise<Classifier> {
    const pointer = await this.#store.readPointer();
    let lease: Lease | undefined;
    await this.#store
      .fetchVersion(pointer.version, async (manifest) => {
        lease = await this.#leaseFor(manifest);
      })
      .finally(() => lease?.release());
    const served = await this.classifier(waitUntil);
    const current = this.#state;
    const { version } = this.#draw.choose(pointer);
    if (served.version !== version && 'classifier' in current) await this.#follow(current, waitUntil);
    const latest = await this.test(waitUntil);
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
      return this.#loadChosen(await this.#store.readPointer(), isCurrent);
    });
  }

  /** Loads the candidate if the isolate has drawn it, else the stable version, else the last proven one. */
  async #loadChosen(pointer: Pointer, isCurrent: () => boolean): Promise<Ready> {
    const { version, role } = this.#draw.choose(pointer);
    try {
      return this.#serving(await this.#loadVersion(version, role, isCurrent), pointer.etag, role);
    } catch (error) {
      if (role === 'candidate' && isCurrent()) {
        this.#giveUpCandidate(error);
        return this.#loadChosen(pointer, isCurrent);
      }
      if (role === 'stable' && error instanceof ModelUntrusted) return this.#restore(error, pointer, isCurrent);
      throw error;
    }
  }

  #giveUpCandidate(error: unknown): void {
    const version = this.#draw.lose();
    if (version !== undefined) this.#onCandidateRefused(version, error);
  }

  /** @param isCurrent whether anybody still waits for it */
  async #loadVersion(version: string, role: Role, isCurrent: () => boolean): Promise<Classifier> {
    this.#refuseUnfit(version);
    const model = await this.#store.fetchVersion(version, (manifest) => {
      const memory = runtimeMemory(manifest) ?? this.#config.MAX_MODEL_MEMORY_BYTES;
      this.#reserved = memory + networkBytes(manifest);
    });
    if (!isCurrent()) throw new ModelUnavailable('Loading the model took too long.');
    return this.#create(model, role);
  }

  /**
   * Loads the last proven version in place of the one that the channel names.
   *
   * @param error why that one is not served
   * @throws {ModelUnavailable | ModelUntrusted} storage fails; `error` if there is no other version to serve
   */
  async #restore(error: ModelUntrusted, pointer: Pointer, isCurrent: () => boolean): Promise<Ready> {
    const version = this.#proven;
    if (version === undefined || version === pointer.version) throw error;
    const classifier = await this.#loadVersion(version, 'stable', isCurrent).catch((cause: unknown) => {
      throw cause instanceof ModelUntrusted ? error : cause;
    });
    return this.#degraded(classifier, error, pointer);
  }

  /**
   * A candidate must pass all its probes, not only the first: no answer may come from one that fails.
   *
   * @throws {ModelUntrusted} it cannot be run, or fails a probe
   */
  async #create(model: VerifiedModel, role: Role): Promise<Classifier> {
    try {
      const classifier = await createClassifier(model, this.#runtime);
      if (role === 'candidate') await this.#testCandidate(classifier);
      this.#reserved = runtimeMemory(model.manifest) ?? 0;
      return classifier;
    } catch (error) {
      if (error instanceof ModelUntrusted) this.#unfit.set(model.version, error);
      throw error;
    }
  }

  /** @throws {ModelUntrusted} it fails a probe: then it is released */
  async #testCandidate(classifier: Classifier): Promise<void> {
    const test = classifier.selfTest();
    this.#tests.set(classifier, test);
    try {
      await test;
    } catch (error) {
      // After a trap ONNX Runtime may be unable to release it.
      await classifier.release().catch(() => {});
      throw error;
    }
  }

  /** @throws {ModelUntrusted} the version has failed before */
  #refuseUnfit(version: string): void {
    const error = this.#unfit.get(version);
    if (error) throw error;
  }

  /** Stops serving a classifier that failed a probe. */
  #reject(classifier: Classifier, error: ModelUntrusted, waitUntil: WaitUntil): void {
    const { version } = classifier;
    this.#unfit.set(version, error);
    const current = this.#state;
    if (!('classifier' in current) || current.classifier !== classifier) return;
    this.#begin('exchanging', waitUntil, async (isCurrent) => {
      await classifier.release();
      return this.#restore(error, { version, etag: current.etag }, isCurrent);
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
      if (pointer) {
        await this.#followTo(from, pointer, waitUntil);
      } else if (from.state === 'degraded' && from.refused) {
        from.nextLook = now() + this.#config.MODEL_REFRESH;
      } else {
        this.#enter(from, this.#serving(from.classifier, from.etag, this.roleOf(from.classifier)));
      }
    } catch (error) {
      this.#enter(from, this.#degraded(from.classifier, error, pointer, from));
    }
  }

  /** Serves what the pointer and the draw name. A candidate that is refused leaves the stable version. */
  async #followTo(from: Ready, pointer: Pointer, waitUntil: WaitUntil): Promise<void> {
    const choice = this.#draw.choose(pointer);
    if (choice.version === from.classifier.version) {
      this.#enter(from, this.#serving(from.classifier, pointer.etag, choice.role));
      return;
    }
    try {
      await this.#exchange(from, pointer, choice, waitUntil);
    } catch (error) {
      if (choice.role === 'stable' || this.#state !== from) throw error;
      this.#giveUpCandidate(error);
      await this.#followTo(from, pointer, waitUntil);
    }
  }

  /**
   * Replaces the served version once the new one is verified. ONNX Runtime's memory never shrinks, so the old session
   * is released before the new one is created. If the new one fails, another is fetched: the stable version in place
   * of a candidate, else the last proven one.
   */
  async #exchange(from: Ready, pointer: Pointer, { version, role }: Choice, waitUntil: WaitUntil): Promise<void> {
    this.#refuseUnfit(version);
    let lease: Lease | undefined;
    try {
      const next = await this.#store.fetchVersion(version, async (manifest) => {
        lease = await this.#leaseFor(manifest);
      });
      if (this.#state !== from) return;
      if (this.roleOf(from.classifier) === 'stable') this.#proven ??= from.classifier.version;
      const { outcome } = this.#begin('exchanging', waitUntil, async (isCurrent) => {
        await from.classifier.release();
        try {
          return this.#serving(await this.#create(next, role), pointer.etag, role);
        } catch (error) {
          if (role === 'candidate') {
            this.#giveUpCandidate(error);
            return this.#loadChosen(pointer, isCurrent);
          }
          if (!(error instanceof ModelUntrusted)) throw error;
          return this.#restore(error, pointer, isCurrent);
        }
      });
      await outcome;
    } finally {
      lease?.release();
    }
  }

  /** Leases the memory that a version's files take until its session is created. */
  #leaseFor(manifest: Manifest): Promise<Lease> {
    const { MODEL_LOAD_TIMEOUT } = this.#config;
    const options = { duration: 2 * MODEL_LOAD_TIMEOUT, patience: MODEL_LOAD_TIMEOUT };
    return this.#memory.lease(networkBytes(manifest), options);
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
        const error = new ModelUnavailable('Loading the model takes too long.');
        // The candidate may be what hangs.
        if (this.#enter(pending, { state: 'empty' })) this.#giveUpCandidate(error);
        reject(error);
      }, this.#config.MODEL_LOAD_TIMEOUT);
    });
    try {
      return (await Promise.race([pending.outcome, expired])).classifier;
    } finally {
      clearTimeout(timer);
    }
  }

  #serving(classifier: Classifier, etag: string, role: Role): Serving {
    this.#roles.set(classifier, role);
    return { state: 'serving', classifier, etag, nextLook: now() + this.#config.MODEL_REFRESH };
  }

  #degraded(classifier: Classifier, cause: unknown, pointer: Pointer | undefined, from?: Ready): Degraded {
    const before = from?.state === 'degraded' ? from : undefined;
    // Storage that fails may answer next time; a version that is refused is not tried again.
    const refused = pointer !== undefined && cause instanceof ModelUntrusted;
    const isModelFailure = cause instanceof ModelUntrusted || cause instanceof ModelUnavailable;
    const error = isModelFailure ? cause : new ModelUnavailable('The model could not be replaced.', { cause });
    return {
      ...this.#serving(classifier, refused ? pointer.etag : (from?.etag ?? ''), this.roleOf(classifier)),
      state: 'degraded',
      trouble: { error, since: before?.trouble.since ?? new Date() },
      refused: refused || before?.refused === true,
    };
  }
}
