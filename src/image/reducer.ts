import type { Pixels } from './codec.ts';

/** Takes the rows of a picture as a decoder delivers them, in any order, so the picture is never held in full. */
export interface Reducer {
  /**
   * Adds `count` pixels of row `y`, at the columns `x`, `x + step`, `x + 2 * step` and so on. Each has `channels`
   * bytes, starting with red, green and blue. No pixel may be added twice.
   */
  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x?: number, step?: number): void;
  /** Adds a whole row as each of the rows from `first` up to but excluding `end`. */
  repeat(first: number, end: number, row: Uint8Array, channels: 3 | 4): void;
  /** Returns the result; call it after adding every pixel. */
  finish(): Pixels;
}
