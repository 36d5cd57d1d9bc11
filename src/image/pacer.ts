import type { Pause } from './codec.ts';

/** Estimated work between two pauses, in nanoseconds: short beside the time that a photo takes. */
const PIECE = 25_000_000;

/**
 * Pauses a long decode after each piece of work. It counts estimated work because the platform's clock stands still
 * during CPU work.
 */
export class Pacer {
  readonly #pause: Pause;
  #pending = 0;

  constructor(pause: Pause) {
    this.#pause = pause;
  }

  /** @returns whether a pause is due */
  count(nanoseconds: number): boolean {
    this.#pending += nanoseconds;
    return this.#pending >= PIECE;
  }

  async pause(): Promise<void> {
    this.#pending = 0;
    await this.#pause();
  }
}
