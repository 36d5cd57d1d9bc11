import { now } from './clock.ts';
import { ImageTooLarge, Overloaded } from './errors.ts';

/** A share of the isolate's memory, held until `release` or until it expires. */
export interface Lease {
  readonly bytes: number;
  /** Gives back all but `bytes`. */
  shrink(bytes: number): void;
  /** Extends the lease to `duration` milliseconds from now. */
  renew(duration: number): void;
  release(): void;
}

export interface LeaseOptions {
  /** Milliseconds after which the lease expires. */
  readonly duration: number;
  /** Milliseconds to wait for free memory. */
  readonly patience: number;
  /**
   * The part of the memory that may be in use with this lease, unless it is the only one. Request bodies take half,
   * so that one of them can always be decoded.
   */
  readonly share?: number;
}

interface Held extends Lease {
  bytes: number;
  until: number;
}

/** How often a waiting request checks for free memory, in milliseconds. */
const POLL_INTERVAL = 20;
const RETRY_AFTER_SECONDS = 2;

/**
 * Leases the memory that photos may use: for request bodies and for decoding.
 *
 * Leases expire because a request that the platform cancels may never run its `finally`. For the same reason no
 * request wakes another: those that wait poll.
 */
export class PhotoMemory {
  readonly #held = new Set<Held>();
  readonly #capacity: () => number;

  /** @param capacity bytes that all photos together may use right now */
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

  /** Bytes that would be free without any lease. */
  get capacityBytes(): number {
    return Math.max(0, this.#capacity());
  }

  /**
   * Leases `bytes`, and waits for them if necessary.
   *
   * @throws {ImageTooLarge} that much memory is never free
   * @throws {Overloaded} other leases hold too much for too long
   */
  async lease(bytes: number, { duration, patience, share = 1 }: LeaseOptions): Promise<Lease> {
    const deadline = now() + patience;
    while (!this.#isFree(bytes, share)) {
      if (bytes > this.capacityBytes) throw new ImageTooLarge('The photo does not fit into memory.');
      if (now() >= deadline) {
        throw new Overloaded('Too many photos at once. Try again shortly.', RETRY_AFTER_SECONDS);
      }
      await scheduler.wait(POLL_INTERVAL);
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
