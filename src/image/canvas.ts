import { MalformedImage } from '../errors.ts';
import type { Frame, Pixels, ReductionTarget, Size } from './codec.ts';
import type { Reducer } from './reducer.ts';
import { addingNanoseconds, createReducer, repeatedNanoseconds } from './reduction.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Estimated nanoseconds for drawing a frame on a canvas and reducing the result. */
export function drawingNanoseconds(size: Size, frame: Frame, target: ReductionTarget): number {
  const blank = [frame.y, size.height - frame.y - frame.height].map((rows) => repeatedNanoseconds(rows, size, target));
  return blank.reduce((sum, each) => sum + each, addingNanoseconds(frame.height, size.width, size, target));
}

/** Draws the rows of one frame, from top to bottom, on a canvas of one colour and reduces the result. */
export class Canvas {
  readonly #size: Size;
  readonly #frame: Frame;
  readonly #background: Rgb;
  readonly #reducer: Reducer;
  readonly #row: Uint8Array;

  constructor(size: Size, frame: Frame, background: Rgb, target: ReductionTarget) {
    if (frame.x + frame.width > size.width || frame.y + frame.height > size.height) {
      throw new MalformedImage('The first frame extends beyond the canvas.');
    }
    this.#size = size;
    this.#frame = frame;
    this.#background = background;
    this.#reducer = createReducer(size, target);
    this.#row = new Uint8Array(size.width * 4);
    this.#addBlank(0, frame.y);
  }

  /** Draws row `y` of the frame, given as RGBA. */
  add(y: number, row: Uint8Array): void {
    this.#row.set(row, this.#frame.x * 4);
    this.#reducer.add(this.#frame.y + y, this.#row, 4, this.#size.width);
  }

  finish(): Pixels {
    this.#addBlank(this.#frame.y + this.#frame.height, this.#size.height);
    return this.#reducer.finish();
  }

  #addBlank(first: number, end: number): void {
    for (let x = 0; x < this.#size.width; x++) this.#row.set(this.#background, x * 4);
    if (end > first) this.#reducer.repeat(first, end, this.#row, 4);
  }
}
