import { now } from '../clock.ts';
import { RequestTimeout } from '../errors.ts';
import type { Arriving } from '../memory.ts';

/** How slowly a body may arrive: milliseconds, and bytes per second. */
export interface ArrivalLimits {
  readonly timeout: number;
  readonly idleTimeout: number;
  /** The lowest throughput, measured over one to two `grace` periods. */
  readonly minRate: number;
  readonly grace: number;
}

/** Over how many milliseconds a body shows whether it can arrive in time. */
const RECENT = 3_000;

/** A body that holds at most so many bytes shows it over the longer `grace`: where clients are slow to send, it is in no one's way. */
const SMALL = 65_536;

/** The most milliseconds that count between two looks at the clock. After more, another request kept the isolate busy. */
const MAX_TICK = 250;

/** Milliseconds that an upload has left once its time is found to be over: its bytes may be here already. */
const LAST_TURN = 10;

/**
 * How much of a body has arrived, and how fast. Its clock stands still while it waits for memory, and while the isolate
 * is busy.
 */
export class Arrival implements Arriving {
  /** Bytes that have arrived. */
  length = 0;
  /** Bytes that its memory holds, or will hold once it has grown. */
  target = 0;
  readonly #limits: ArrivalLimits;
  readonly #recently = new Meter(RECENT);
  readonly #lately: Meter;
  #time = 0;
  #seen = now();
  #paused = false;
  #latest = 0;
  #overdueSince: number | undefined;

  constructor(limits: ArrivalLimits) {
    this.#limits = limits;
    this.#lately = new Meter(limits.grace);
  }

  get lateness(): number {
    return this.remaining - (this.#limits.timeout - this.#time);
  }

  get remaining(): number {
    this.#tick();
    const meter = this.target <= SMALL ? this.#lately : this.#recently;
    if (!meter.isFull) return Number.NEGATIVE_INFINITY;
    const { bytes, time } = meter;
    // At least one byte, so that of two that stall the one that holds more is later.
    return ((this.target - this.length) * time) / Math.max(1, bytes);
  }

  add(bytes: number): void {
    this.length += bytes;
    this.#tick();
    this.#latest = this.#time;
  }

  /** Stops the clock until `waiting` settles. */
  async pause<T>(waiting: Promise<T>): Promise<T> {
    this.#tick();
    this.#paused = true;
    try {
      return await waiting;
    } finally {
      this.#tick();
      this.#paused = false;
    }
  }

  /** @throws {RequestTimeout} the body has been too slow since the last call, and still is */
  check(): void {
    this.#tick();
    if (!this.#isOverdue()) this.#overdueSince = undefined;
    else if (this.#overdueSince === undefined) this.#overdueSince = this.#time;
    else if (this.#time > this.#overdueSince + LAST_TURN) {
      throw new RequestTimeout('The upload stalled or took too long.');
    }
  }

  #isOverdue(): boolean {
    const { timeout, idleTimeout, minRate } = this.#limits;
    const { bytes, time, isFull } = this.#lately;
    const tooSlow = isFull && bytes * 1000 < minRate * time;
    return tooSlow || this.#time >= timeout || this.#time >= this.#latest + idleTimeout;
  }

  #tick(): void {
    const time = now();
    if (!this.#paused) this.#time += Math.min(time - this.#seen, MAX_TICK);
    this.#seen = time;
    for (const meter of [this.#recently, this.#lately]) meter.update(this.#time, this.length);
  }
}

/** Measures throughput over the last one to two windows, or over less in the first. */
class Meter {
  /** Bytes that arrived in the last `time` milliseconds. */
  bytes = 0;
  time = 0;
  readonly #window: number;
  #older = { time: 0, length: 0 };
  #newer = this.#older;

  constructor(window: number) {
    this.#window = window;
  }

  /** Whether it has measured for a whole window. */
  get isFull(): boolean {
    return this.time >= this.#window;
  }

  update(time: number, length: number): void {
    if (time >= this.#newer.time + this.#window) {
      this.#older = this.#newer;
      this.#newer = { time, length };
    }
    this.bytes = length - this.#older.length;
    this.time = time - this.#older.time;
  }
}
