import { now } from '../clock.ts';

/** Estimated milliseconds of work that a request may begin without waiting, while nobody else waits. */
const SHORT = 50;

/**
 * The longest pause before a piece of work, in milliseconds. Longer work pauses longer, because a request that is
 * still arriving needs several turns of the event loop.
 */
const MAX_REST = 20;

/** How often a waiting request checks whether its turn has come, in milliseconds. */
const POLL_INTERVAL = 2;

/** How long a request that no longer waits, because the platform cancelled it, may hold up others, in milliseconds. */
const STALE = 100;

/** How long a request gives way to others, in milliseconds. Without a limit, many short ones could starve a long one. */
const PATIENCE = 5_000;

interface Claim {
  /** Milliseconds of work that its request will have done after this piece. */
  readonly rank: number;
  until: number;
}

/**
 * Orders the work of an isolate's requests, which share one thread: of those that wait, the one that will have taken
 * the least goes first. A batch therefore cannot hold up a single photo.
 *
 * As in `PhotoMemory`, requests poll instead of waking each other, and claims expire.
 */
export class Turns {
  readonly #claims = new Set<Claim>();
  readonly #patience: number;

  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  /** Call it once for each request. */
  join(): Turn {
    return new Turn(this.#claims, this.#patience);
  }
}

/** The turns of one request. */
export class Turn {
  readonly #claims: Set<Claim>;
  #rank = 0;
  #patience: number;

  constructor(claims: Set<Claim>, patience: number) {
    this.#claims = claims;
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
    const claim: Claim = { rank: this.#rank, until: 0 };
    this.#claims.add(claim);
    try {
      let pause = rest;
      do {
        claim.until = now() + STALE;
        // A macrotask: microtasks run before any other request.
        await scheduler.wait(pause);
        pause = POLL_INTERVAL;
      } while (now() - begun < this.#patience && this.#isPreceded(claim));
    } finally {
      this.#claims.delete(claim);
      this.#patience -= Math.min(this.#patience, now() - begun);
    }
  }

  #isPreceded({ rank }: Claim): boolean {
    const time = now();
    for (const other of this.#claims) if (other.until < time) this.#claims.delete(other);
    return [...this.#claims].some((other) => other.rank < rank);
  }
}
