import { type Boxes, boxesAlong, reducedLength } from './boxes.ts';
import type { Pixels, Size } from './codec.ts';
import type { Reducer } from './reducer.ts';

/**
 * Returns a reducer to at most four times the target's size: for JPEGs that their decoder scaled, and models without
 * `resize` in their manifest.
 */
export function createBoxReducer(extent: Size, target: Size): Reducer {
  const reduced = boxedSize(extent, target);
  return isSameSize(extent, reduced) ? new PlainCopy(reduced) : new BoxReducer(extent, target);
}

/** The size of the reducer's result. */
export function boxedSize(extent: Size, target: Size): Size {
  return { width: reducedLength(extent.width, target.width), height: reducedLength(extent.height, target.height) };
}

export const isSameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** Nanoseconds on the benchmark machine for each pixel and row added, and for each channel of a reduced row. */
const COST = { pixel: 8, row: 60, channel: 1.5 } as const;

/** Estimated nanoseconds for adding rows of `width` pixels each. */
export function boxingNanoseconds(rows: number, width: number, reduced: Size): number {
  return rows * (COST.row + width * COST.pixel + reduced.width * 3 * COST.channel);
}

/** Memory in bytes that the reducer takes, including its result. */
export function boxingBytes(extent: Size, reduced: Size): number {
  if (isSameSize(extent, reduced)) return reduced.width * reduced.height * 4;
  return (reduced.width + 1) * (reduced.height + 1) * 16 + (extent.width + extent.height) * 10;
}

/** Keeps a picture that needs no reduction. */
class PlainCopy implements Reducer {
  readonly #pixels: Pixels;

  constructor({ width, height }: Size) {
    this.#pixels = { width, height, rgba: new Uint8Array(width * height * 4) };
  }

  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x = 0, step = 1): void {
    const { width, rgba } = this.#pixels;
    for (let i = 0, at = x, from = 0; i < count; i++, at += step, from += channels) {
      const to = (y * width + at) * 4;
      rgba[to] = row[from] as number;
      rgba[to + 1] = row[from + 1] as number;
      rgba[to + 2] = row[from + 2] as number;
      rgba[to + 3] = 255;
    }
  }

  repeat(first: number, end: number, row: Uint8Array, channels: 3 | 4): void {
    for (let y = first; y < end; y++) this.add(y, row, channels, this.#pixels.width);
  }

  finish(): Pixels {
    return this.#pixels;
  }
}

/**
 * Averages boxes of pixels, so a large picture is never held in full. As with Pillow's `reducing_gap=2`, the boxes are
 * the largest that leave twice the target for the resampling filter. All boxes have the same size and may cut through
 * pixels, so the picture does not shift. (Pillow passes the remainder to its filter; photon's filter has no such
 * parameter.)
 */
class BoxReducer implements Reducer {
  readonly #columns: Boxes;
  readonly #rows: Boxes;
  /** RGB sums of one row, with an extra box to hold `rest` of the last one. */
  readonly #line: Float32Array;
  readonly #sums: Float32Array;

  constructor(extent: Size, target: Size) {
    this.#columns = boxesAlong(extent.width, target.width);
    this.#rows = boxesAlong(extent.height, target.height);
    this.#line = new Float32Array((this.#columns.count + 1) * 3);
    this.#sums = new Float32Array((this.#rows.count + 1) * this.#line.length);
  }

  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x = 0, step = 1): void {
    this.#averageAcross(row, channels, count, x, step);
    this.#addRow(y);
  }

  repeat(first: number, end: number, row: Uint8Array, channels: 3 | 4): void {
    this.#averageAcross(row, channels, this.#columns.box.length, 0, 1);
    for (let y = first; y < end; y++) this.#addRow(y);
  }

  #averageAcross(row: Uint8Array, channels: 3 | 4, count: number, x: number, step: number): void {
    const line = this.#line.fill(0);
    const { box, first, rest } = this.#columns;
    for (let i = 0, at = x, from = 0; i < count; i++, at += step, from += channels) {
      const to = (box[at] as number) * 3;
      const red = row[from] as number;
      const green = row[from + 1] as number;
      const blue = row[from + 2] as number;
      const share = first[at] as number;
      (line[to] as number) += red * share;
      (line[to + 1] as number) += green * share;
      (line[to + 2] as number) += blue * share;
      const other = rest[at] as number;
      if (other > 0) {
        (line[to + 3] as number) += red * other;
        (line[to + 4] as number) += green * other;
        (line[to + 5] as number) += blue * other;
      }
    }
  }

  #addRow(y: number): void {
    const start = (this.#rows.box[y] as number) * this.#line.length;
    this.#addLine(start, this.#rows.first[y] as number);
    if ((this.#rows.rest[y] as number) > 0) this.#addLine(start + this.#line.length, this.#rows.rest[y] as number);
  }

  #addLine(start: number, share: number): void {
    const line = this.#line;
    for (let i = 0; i < line.length; i++) (this.#sums[start + i] as number) += (line[i] as number) * share;
  }

  finish(): Pixels {
    const width = this.#columns.count;
    const height = this.#rows.count;
    const scale = 1 / (this.#columns.span * this.#rows.span);
    const rgba = new Uint8Array(width * height * 4);
    for (let y = 0, to = 0; y < height; y++) {
      for (let x = 0, from = y * this.#line.length; x < width; x++, from += 3, to += 4) {
        rgba[to] = (this.#sums[from] as number) * scale + 0.5;
        rgba[to + 1] = (this.#sums[from + 1] as number) * scale + 0.5;
        rgba[to + 2] = (this.#sums[from + 2] as number) * scale + 0.5;
        rgba[to + 3] = 255;
      }
    }
    return { rgba, width, height };
  }
}
