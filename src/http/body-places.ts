import { now } from '../clock.ts';
import type { Config } from '../config.ts';
import { RateLimited } from '../errors.ts';
import type { Place } from '../predict/body.ts';

interface Taken extends Place {
  readonly key: string;
  until: number;
}

const RETRY_AFTER_SECONDS = 2;

/**
 * Limits how many bodies of one address arrive at the same time. Places expire because a request that the platform
 * cancels may never run its `finally`.
 */
export class BodyPlaces {
  readonly #taken = new Set<Taken>();
  readonly #most: number;
  readonly #duration: number;

  constructor(config: Pick<Config, 'MAX_BODIES_PER_ADDRESS' | 'UPLOAD_IDLE_TIMEOUT' | 'MEMORY_WAIT'>) {
    this.#most = config.MAX_BODIES_PER_ADDRESS;
    // The body may first wait for memory.
    this.#duration = config.MEMORY_WAIT + config.UPLOAD_IDLE_TIMEOUT;
  }

  /**
   * Takes a place for a body.
   *
   * @param key the address, as `addressKey` returns it
   * @throws {RateLimited} other bodies of the address have all places
   */
  take(key: string): Place {
    const time = now();
    let others = 0;
    for (const each of this.#taken) {
      if (each.until <= time) this.#taken.delete(each);
      else if (each.key === key) others++;
    }
    if (others >= this.#most) {
      throw new RateLimited(`At most ${this.#most} uploads at the same time are accepted.`, RETRY_AFTER_SECONDS);
    }
    const place: Taken = {
      key,
      until: time + this.#duration,
      renew(duration) {
        this.until = now() + duration;
      },
      release: () => this.#taken.delete(place),
    };
    this.#taken.add(place);
    return place;
  }
}
