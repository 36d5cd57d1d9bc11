import { now } from '../clock.ts';

/** Estimated milliseconds of work that a request may begin without waiting, while nobody else waits. */
const SHORT = 50;

/**
 * The longest pause before a piece of work, in milliseconds. Longer work pauses longer, because a request that is
 * still arriving needs several turns of the event loop.
 */
const MAX_REST = 20;

/** How often a waiting request checks whether its turn has come, in milliseconds; less often where many wait. */
const [POLL_INTERVAL, MAX_POLL_INTERVAL] = [2, 50];

/** How long a request that no longer waits, because the platform cancelled it, may hold up others, in milliseconds. */
const STALE = 100;

/** How far apart requests that have given way for long go out of turn, in milliseconds: all at once would be in the way of others. */
const BYPASS_INTERVAL = 50;

/** The most milliseconds that count between two looks at the clock. After more, one request kept the isolate busy. */
const MAX_TICK = 10;

/** How long a request gives way to others, in milliseconds. Without a limit, many short ones could starve a long one. */
const PATIENCE = 5_000;

interface Claim {
  /** Milliseconds of work that its request will have done after this piece. */
  readonly rank: number;
  /** When its request began, compared with the others. */
  readonly order: number;
  until: number;
}

/** The requests that wait. */
class Claims {
  readonly #claims = new Set<Claim>();
  /** The number of pieces of long work that have begun. */
  begun = 0;
  #time = 0;
  #seen = now();
  #nextBypass = 0;

  get size(): number {
    return this.#claims.size;
  }

  renew(claim: Claim): void {
    claim.until = this.#tick() + STALE;
    this.#claims.add(claim);
  }

  delete(claim: Claim): void {
    this.#claims.delete(claim);
  }

  precede({ rank, order }: Claim): boolean {
    const time = this.#tick();
    for (const each of this.#claims) if (each.until < time) this.#claims.delete(each);
    return [...this.#claims].some((other) => other.rank < rank || (other.rank === rank && other.order < order));
  }

  /** Whether a request may go out of turn now. */
  canBypass(): boolean {
    const time = this.#tick();
    if (time < this.#nextBypass) return false;
    this.#nextBypass = time + BYPASS_INTERVAL;
    return true;
  }

  /** The clock stands still while the isolate is busy: meanwhile no request can renew its claim. */
  #tick(): number {
    const time = now();
    this.#time += Math.min(time - this.#seen, MAX_TICK);
    this.#seen = time;
    return this.#time;
  }
}

/**
 * Orders the work of an isolate's requests, which share one thread: of those that wait, the one that will have taken
 * the least goes first. A batch therefore cannot hold up a single photo. Only one works at a time, and before each piece
 * of long work the isolate is idle for a moment: a request that is still arriving gets one step further with each turn of
 * the event loop, and would otherwise wait for a piece of each.
 *
 * As in `PhotoMemory`, requests poll instead of waking each other, and claims expire.
 */
export class Turns {
  readonly #claims = new Claims();
  readonly #patience: number;
  #joined = 0;

  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  /** Call it once for each request. */
  join(): Turn {
    return new Turn(this.#claims, this.#joined++, this.#patience);
  }
}

/** The turns of one request. */
export class Turn {
  readonly #claims: Claims;
  readonly #order: number;
  #rank = 0;
  #patience: number;

  constructor(claims: Claims, order: number, patience: number) {
    this.#claims = claims;
    this.#order = order;
    this.#patience = patience;
  }

  /** Waits for a turn to do this many milliseconds of work. */
  async take(milliseconds: number): Promise<void> {
    this.#rank += milliseconds;
    if (this.#rank <= SHORT && this.#claims.size === 0) return;
    await this.#wait(Math.min(MAX_REST, Math.floor(milliseconds / SHORT)));
  }

  /** Lets others go first in the middle of that work. */
  async yield(): Promise<void> {
    await this.#wait(0);
  }

  async #wait(rest: number): Promise<void> {
    const begun = now();
    const claim: Claim = { rank: this.#rank, order: this.#order, until: 0 };
    try {
      let pause = rest;
      for (;;) {
        this.#claims.renew(claim);
        const before = this.#claims.begun;
        // A macrotask: microtasks run before any other request.
        await scheduler.wait(pause);
        const isFirst = !this.#claims.precede(claim);
        const hasRested = pause >= rest && this.#claims.begun === before;
        if (isFirst && (rest === 0 || hasRested)) break;
        if (now() - begun >= this.#patience && this.#claims.canBypass()) break;
        // A check takes as long as there are claims.
        pause = isFirst ? rest : Math.min(POLL_INTERVAL + this.#claims.size / 8, MAX_POLL_INTERVAL);
      }
      if (rest > 0) this.#claims.begun++;
    } finally {
      this.#claims.delete(claim);
      this.#patience -= Math.min(this.#patience, now() - begun);
    }
  }
}
