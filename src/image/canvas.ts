import { MalformedImage } from '../errors.ts';
import type { Frame, Pixels, Size } from './codec.ts';
import { createReducer, type Reducer } from './reducer.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Draws the rows of one frame, in any order, on a canvas of one colour and reduces the result. */
export class Canvas {
  readonly #frame: Frame;
  readonly #reducer: Reducer;
  readonly #row: Uint8Array;

  constructor(size: Size, frame: Frame, background: Rgb, target: Size) {
    if (frame.x + frame.width > size.width || frame.y + frame.height > size.height) {
      throw new MalformedImage('The first frame extends beyond the canvas.');
    }
    this.#frame = frame;
    this.#reducer = createReducer(size, target);
    this.#row = new Uint8Array(size.width * 4);
    for (let x = 0; x < size.width; x++) this.#row.set(background, x * 4);
    for (let y = 0; y < frame.y; y++) this.#add(y);
    for (let y = frame.y + frame.height; y < size.height; y++) this.#add(y);
  }

  /** Draws row `y` of the frame, given as RGBA. */
  add(y: number, row: Uint8Array): void {
    this.#row.set(row, this.#frame.x * 4);
    this.#add(this.#frame.y + y);
  }

  #add(y: number): void {
    this.#reducer.add(y, this.#row, 4, this.#row.length / 4);
  }

  finish(): Pixels {
    return this.#reducer.finish();
  }
}
