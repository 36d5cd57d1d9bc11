import type { Config, Env } from '../config.ts';
import { ModelUnavailable } from '../errors.ts';
import { type Classifier, createClassifier } from './classifier.ts';
import { fetchModel } from './store.ts';

interface Load {
  readonly classifier: Promise<Classifier>;
  /** Set when its requests have stopped waiting: it must not start a session that nobody will release. */
  abandoned: boolean;
}

/** Holds the one classifier of an isolate: loaded by the first request that needs it, kept for all later ones. */
export class ModelHost {
  #load: Load | undefined;

  /**
   * The classifier. What is kept is the promise, so requests that come while it loads share one load. A load
   * that fails is forgotten, and so is one that hangs: on the real platform it may have died with the request
   * that began it, timers and all, so everyone who waits has a timer of their own.
   *
   * @param waitUntil lets the load outlive the request that began it: others may wait for it
   * @throws {ModelUnavailable | ModelUntrusted} there is no model that could be served
   */
  async classifier(
    env: Env,
    config: Config,
    waitUntil: (pending: Promise<unknown>) => void,
  ): Promise<Classifier> {
    this.#load ??= this.#begin(env, config, waitUntil);
    const load = this.#load;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#forget(load);
        reject(new ModelUnavailable('Loading the model takes too long.'));
      }, config.MODEL_LOAD_TIMEOUT);
    });
    try {
      return await Promise.race([load.classifier, expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(env: Env, config: Config, waitUntil: (pending: Promise<unknown>) => void): Load {
    const fetchAndStart = async () => {
      const model = await fetchModel(env, config);
      if (load.abandoned) throw new ModelUnavailable('Loading the model took too long.');
      return createClassifier(model);
    };
    const load: Load = { abandoned: false, classifier: Promise.resolve().then(fetchAndStart) };
    waitUntil(load.classifier.catch(() => this.#forget(load)));
    return load;
  }

  #forget(load: Load): void {
    load.abandoned = true;
    if (this.#load === load) this.#load = undefined;
  }
}
