import { now } from '../clock.ts';
import { RequestTimeout } from '../errors.ts';
import type { Arriving } from '../memory.ts';

/** How slowly a body may arrive: milliseconds, and bytes per second. */
export interface ArrivalLimits {
  readonly timeout: number;
  readonly idleTimeout: number;
  /** The lowest throughput, measured over one to two `grace` periods and never before the first has passed. */
  readonly minRate: number;
  readonly grace: number;
}

interface Mark {
  readonly time: number;
  readonly length: number;
}

/** Milliseconds before which the throughput says nothing: another request may have kept the isolate busy. */
const SETTLING_TIME = 2_000;

/** Milliseconds that an upload has left once its time is found to be over: its bytes may be here already. */
const LAST_TURN = 10;

/** How much of a body has arrived, and how fast. Its clock stands still while it waits for memory. */
export class Arrival implements Arriving {
  /** Bytes that have arrived. */
  length = 0;
  /** Bytes that its memory holds, or will hold once it has grown. */
  target = 0;
  readonly #limits: ArrivalLimits;
  readonly #start = now();
  /** Two points at least a grace period apart, between which the throughput is measured. */
  #older: Mark = { time: this.#start, length: 0 };
  #newer: Mark = this.#older;
  #latest = this.#start;
  #waited = 0;
  #waitsSince: number | undefined;
  #overdueSince: number | undefined;

  constructor(limits: ArrivalLimits) {
    this.#limits = limits;
  }

  get lateness(): number {
    const time = this.#time();
    if (time - this.#start < SETTLING_TIME) return Number.NEGATIVE_INFINITY;
    // At least one byte, so that of two that stall the one that holds more is later.
    const { bytes, elapsed } = this.#recent(time);
    return ((this.target - this.length) * elapsed) / Math.max(bytes, 1) - (this.#start + this.#limits.timeout - time);
  }

  add(bytes: number): void {
    this.length += bytes;
    this.#latest = this.#time();
  }

  /** Stops the clock until `waiting` settles. */
  async pause<T>(waiting: Promise<T>): Promise<T> {
    this.#waitsSince = now();
    try {
      return await waiting;
    } finally {
      this.#waited += now() - this.#waitsSince;
      this.#waitsSince = undefined;
    }
  }

  /** @throws {RequestTimeout} the body has been too slow since the last call, and still is */
  check(): void {
    const time = this.#time();
    if (!this.#isOverdue(time)) this.#overdueSince = undefined;
    else if (this.#overdueSince === undefined) this.#overdueSince = time;
    else if (time > this.#overdueSince + LAST_TURN) {
      throw new RequestTimeout('The upload stalled or took too long.');
    }
  }

  #isOverdue(time: number): boolean {
    const { timeout, idleTimeout, minRate, grace } = this.#limits;
    if (time >= this.#start + timeout || time >= this.#latest + idleTimeout) return true;
    if (time < this.#start + grace) return false;
    const { bytes, elapsed } = this.#recent(time);
    return bytes * 1000 < minRate * elapsed;
  }

  #recent(time: number): { readonly bytes: number; readonly elapsed: number } {
    if (time >= this.#newer.time + this.#limits.grace) {
      this.#older = this.#newer;
      this.#newer = { time, length: this.length };
    }
    return { bytes: this.length - this.#older.length, elapsed: Math.max(1, time - this.#older.time) };
  }

  #time(): number {
    return (this.#waitsSince ?? now()) - this.#waited;
  }
}
