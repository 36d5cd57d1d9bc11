import { MalformedImage } from '../errors.ts';
import type { Frame, Pixels, Size } from './codec.ts';
import { addingNanoseconds, createReducer, type Reducer, reducedSize } from './reducer.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Estimated nanoseconds for drawing a frame on a canvas and reducing the result. */
export function drawingNanoseconds(size: Size, frame: Frame, target: Size): number {
  const reduced = reducedSize(size, target);
  const blank = size.height - frame.height;
  return addingNanoseconds(frame.height + 1, size.width, reduced) + addingNanoseconds(blank, 0, reduced);
}

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
    const below = frame.y + frame.height;
    const [firstBlank] = frame.y > 0 ? [0] : below < size.height ? [below] : [];
    if (firstBlank === undefined) return;
    this.#add(firstBlank);
    this.#reducer.repeat(1, frame.y);
    this.#reducer.repeat(frame.y > 0 ? below : below + 1, size.height);
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
