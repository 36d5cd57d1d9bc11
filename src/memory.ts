import { now } from './clock.ts';
import { ImageTooLarge, Overloaded } from './errors.ts';

/** A place in the isolate's memory, held until `release` or until it expires. */
export interface Lease {
  readonly bytes: number;
  /** Gives a part of it back: `bytes` remain. */
  shrink(bytes: number): void;
  /** Holds it for `duration` milliseconds from now. */
  renew(duration: number): void;
  release(): void;
}

export interface LeaseOptions {
  readonly duration: number;
  readonly patience: number;
  readonly share?: number;
}

interface Held extends Lease {
  bytes: number;
  until: number;
}

/** How often a waiting request looks for a free place, in milliseconds. */
const LOOK_AGAIN = 20;
const RETRY_AFTER_SECONDS = 2;

/**
 * Hands out places in the memory that photos may use: request bodies and what decoding them takes.
 *
 * A place is a lease that expires, because a request that the platform cancels may never run its `finally`.
 * For the same reason nobody is woken by another request: whoever waits looks for itself.
 */
export class PhotoMemory {
  readonly #held = new Set<Held>();
  readonly #capacity: () => number;

  /** @param capacity bytes that photos may use right now, all together */
  constructor(capacity: () => number) {
    this.#capacity = capacity;
  }

  /** Bytes that are leased at the moment. */
  get usedBytes(): number {
    const time = now();
    let used = 0;
    for (const lease of this.#held) {
      if (lease.until <= time) this.#held.delete(lease);
      else used += lease.bytes;
    }
    return used;
  }

  /** Bytes that would be free if nobody else held a place. */
  get capacityBytes(): number {
    return Math.max(0, this.#capacity());
  }

  /**
   * Leases `bytes` for at most `duration` milliseconds; waits up to `patience` milliseconds for them.
   *
   * @param share of the memory that may be in use with this lease, unless it is the only one: bodies take half, so
   *   that there is always room to decode one of them
   * @throws {ImageTooLarge} so much is never free
   * @throws {Overloaded} others hold too much for too long
   */
  async lease(bytes: number, { duration, patience, share = 1 }: LeaseOptions): Promise<Lease> {
    const deadline = now() + patience;
    while (!this.#isFree(bytes, share)) {
      if (bytes > this.capacityBytes) throw new ImageTooLarge('The photo does not fit the memory there is.');
      if (now() >= deadline) {
        throw new Overloaded('Too many photos are being looked at. Try again shortly.', RETRY_AFTER_SECONDS);
      }
      await scheduler.wait(LOOK_AGAIN);
    }
    const held = this.#held;
    const lease: Held = {
      bytes,
      until: now() + duration,
      shrink(remaining) {
        this.bytes = Math.min(this.bytes, remaining);
      },
      renew(next) {
        this.until = now() + next;
      },
      release: () => held.delete(lease),
    };
    held.add(lease);
    return lease;
  }

  #isFree(bytes: number, share: number): boolean {
    const used = this.usedBytes;
    return used + bytes <= this.capacityBytes * (used === 0 ? 1 : share);
  }
}
