import { now } from './clock.ts';
import { ImageTooLarge, Overloaded, RequestTimeout } from './errors.ts';

/** A share of the isolate's memory, held until `release` or until it expires. */
export interface Lease {
  readonly bytes: number;
  /** Whether others need this memory, and its body arrives too slowly to keep it: release it at once. */
  readonly recalled: boolean;
  /** Gives back all but `bytes`. */
  shrink(bytes: number): void;
  /** Adds `bytes` if they are free right now; returns whether they were. */
  tryExtend(bytes: number): boolean;
  /**
   * Adds `bytes`, and waits for them if necessary.
   *
   * @throws {ImageTooLarge | Overloaded} as `PhotoMemory.lease`
   * @throws {RequestTimeout} the lease is recalled meanwhile
   */
  extend(bytes: number, wait: Wait): Promise<void>;
  /** Extends the lease to `duration` milliseconds from now. */
  renew(duration: number): void;
  /** Rules out a recall from now on: the body is complete. */
  secure(): void;
  release(): void;
}

/** A body that is still arriving. Its lease can be recalled. */
export interface Arriving {
  /** Milliseconds by which it would miss its deadline at its recent pace; negative where it would not. */
  readonly lateness: number;
  /** Milliseconds that the bytes for which it has memory still take at its recent pace. */
  readonly remaining: number;
}

interface Wait {
  /** Milliseconds to wait for free memory. */
  readonly patience: number;
  /**
   * The part of the memory that may be in use with this lease, unless it is the only one. Request bodies take half,
   * so that one of them can always be decoded.
   */
  readonly share?: number;
  /** Set for a body that will need more than this. All such bodies take at most half of `share`. */
  readonly partial?: boolean;
}

export interface LeaseOptions extends Wait {
  /** Milliseconds after which the lease expires. */
  readonly duration: number;
  /** Set for the memory of a body that is still arriving. */
  readonly arriving?: Arriving;
}

/** How often a waiting request checks for free memory, in milliseconds; less often where there are many leases. */
const POLL_INTERVAL = 20;
const RETRY_AFTER_SECONDS = 2;

/** Milliseconds after which a recalled lease expires. Its request notices sooner, unless the platform cancelled it. */
const RECALL_TIME = 250;

/**
 * A body that arrives in time gives way to a much smaller request only if it holds this many bytes for this many
 * milliseconds more. Phones at 100 kbit/s hold less.
 */
const [LARGE, LONG, MUCH_SMALLER] = [1_000_000, 5_000, 8];

/**
 * Leases the memory that photos may use: for request bodies and for decoding.
 *
 * Leases expire because a request that the platform cancels may never run its `finally`. For the same reason no
 * request wakes another: those that wait poll.
 *
 * Where no memory is free, a body loses its own: the largest of those that cannot arrive in time anyway, or that hold
 * much for long where little is needed, if their memory is enough; or the slowest of those that wait for more and block
 * each other.
 */
export class PhotoMemory {
  readonly #held = new Set<Held>();
  readonly #capacity: () => number;
  readonly #potential: () => number;

  /**
   * @param capacity bytes that all photos together may use right now
   * @param potential bytes that they may use at best, later: what exceeds them is refused at once
   */
  constructor(capacity: () => number, potential = capacity) {
    this.#capacity = capacity;
    this.#potential = potential;
  }

  /** Bytes that are leased at the moment. */
  get usedBytes(): number {
    return this.#sum(() => true);
  }

  #sum(counts: (lease: Held) => boolean): number {
    const time = now();
    let sum = 0;
    for (const lease of this.#held) {
      if (lease.until <= time) this.#held.delete(lease);
      else if (counts(lease)) sum += lease.bytes;
    }
    return sum;
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
  async lease(bytes: number, { duration, arriving, ...wait }: LeaseOptions): Promise<Lease> {
    const lease = new Held(duration, arriving, {
      take: (more) => this.#take(lease, more),
      wait: (more, options) => this.#wait(lease, more, options),
      add: () => this.#held.add(lease),
      remove: () => this.#held.delete(lease),
    });
    await this.#wait(lease, bytes, wait);
    return lease;
  }

  async #wait(lease: Held, bytes: number, wait: Wait): Promise<void> {
    const deadline = now() + wait.patience;
    for (;;) {
      if (lease.recalled) throw new RequestTimeout('The upload was too slow for the memory that it took.');
      if (this.#take(lease, bytes, wait)) return;
      if (lease.bytes + bytes > this.#potential()) throw new ImageTooLarge('The photo does not fit into memory.');
      this.#recall(lease, bytes, wait);
      if (now() >= deadline) {
        throw new Overloaded('Too many photos at once. Try again shortly.', RETRY_AFTER_SECONDS);
      }
      // A check takes as long as there are leases.
      await scheduler.wait(POLL_INTERVAL + this.#held.size / 2);
      lease.renew();
    }
  }

  #take(lease: Held, bytes: number, wait: Partial<Wait> = {}): boolean {
    if (!this.#fits(lease, bytes, wait)) return false;
    lease.bytes += bytes;
    lease.partial = wait.partial ?? false;
    lease.renew();
    this.#held.add(lease);
    return true;
  }

  /** @param stays whether another lease keeps its memory */
  #fits(
    lease: Held,
    bytes: number,
    { share = 1, partial = false }: Partial<Wait>,
    stays: (other: Held) => boolean = () => true,
  ): boolean {
    const size = lease.bytes + bytes;
    const others = this.#sum((each) => each !== lease && stays(each));
    if (others === 0) return size <= this.capacityBytes;
    const most = this.capacityBytes * share;
    const partials = partial ? this.#sum((each) => each !== lease && each.partial && stays(each)) : 0;
    return others + size <= most && (!partial || partials + size <= most / 2);
  }

  /** Recalls one lease at a time, as its memory may be enough, and none whose memory would not help. */
  #recall(lease: Held, bytes: number, wait: Wait): void {
    const held = [...this.#held];
    if (held.some(({ recalled }) => recalled)) return;
    const least = Math.max(LARGE, MUCH_SMALLER * (lease.bytes + bytes));
    const isSlow = (each: Held) => each.lateness > 0 || (each.bytes >= least && each.remaining > LONG);
    const slow = new Set(held.filter((each) => each !== lease && isSlow(each)));
    if (slow.size > 0 && this.#fits(lease, bytes, wait, (other) => !slow.has(other))) {
      // The largest, so that a small upload that a busy isolate has not read yet is the last to go.
      const [largest] = [...slow].toSorted((a, b) => b.bytes - a.bytes);
      largest?.recall();
      return;
    }
    // Those that wait block each other where none would fit even if all others gave back their memory.
    const waiting = held.filter(({ waitsFor }) => waitsFor);
    const isWaiting = (each: Held) => each.waitsFor !== undefined;
    const fits = (each: Held) => each.waitsFor && this.#fits(each, each.waitsFor.bytes, each.waitsFor, isWaiting);
    if (waiting.some(fits)) return;
    const [slowest] = waiting.toSorted((a, b) => (a.lateness > b.lateness ? -1 : 1));
    slowest?.recall();
  }
}

/** What a lease needs of the memory it is a part of. */
interface Pool {
  take(bytes: number): boolean;
  wait(bytes: number, wait: Wait): Promise<void>;
  add(): void;
  remove(): void;
}

class Held implements Lease {
  bytes = 0;
  until = 0;
  recalled = false;
  partial = false;
  /** What it waits for in addition. */
  waitsFor: (Wait & { readonly bytes: number }) | undefined;
  arriving: Arriving | undefined;
  #duration: number;
  readonly #pool: Pool;

  constructor(duration: number, arriving: Arriving | undefined, pool: Pool) {
    this.#duration = duration;
    this.arriving = arriving;
    this.#pool = pool;
  }

  get lateness(): number {
    return this.arriving?.lateness ?? Number.NEGATIVE_INFINITY;
  }

  get remaining(): number {
    return this.arriving?.remaining ?? 0;
  }

  shrink(bytes: number): void {
    this.bytes = Math.min(this.bytes, bytes);
  }

  tryExtend(bytes: number): boolean {
    return this.#pool.take(bytes);
  }

  async extend(bytes: number, wait: Wait): Promise<void> {
    this.waitsFor = { ...wait, bytes };
    try {
      await this.#pool.wait(bytes, wait);
    } finally {
      this.waitsFor = undefined;
    }
  }

  renew(duration = this.#duration): void {
    this.#duration = duration;
    if (!this.recalled) this.until = now() + duration;
  }

  recall(): void {
    this.recalled = true;
    this.until = Math.min(this.until, now() + RECALL_TIME);
  }

  secure(): void {
    this.arriving = undefined;
    this.recalled = false;
    this.renew();
    this.#pool.add();
  }

  release(): void {
    this.#pool.remove();
  }
}
