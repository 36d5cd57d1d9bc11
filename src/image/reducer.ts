import { type Boxes, boxesAlong, reducedLength } from './boxes.ts';
import type { Pixels, Size } from './codec.ts';

/** Takes a picture row by row, in any order, and reduces it to at most four times the target's size. */
export interface Reducer {
  /**
   * Adds `count` pixels of row `y`, at the columns `x`, `x + step`, `x + 2 * step` and so on. Each has `channels`
   * bytes, starting with red, green and blue.
   */
  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x?: number, step?: number): void;
  /** Adds the latest row again, as the rows from `first` up to but excluding `end`. */
  repeat(first: number, end: number): void;
  /** Returns the result; call it after adding every pixel. */
  finish(): Pixels;
}

/** The size that a picture is reduced towards. */
export interface ReductionTarget extends Size {
  /**
   * Reduces more exactly. A picture that needs no reduction keeps its pixels even if the last is only part of one: what
   * resamples the result knows the fraction. Halves are rounded up and down in turn, since always up would brighten.
   */
  readonly isExact?: boolean;
}

/** The size of the reducer's result. */
export function reducedSize(extent: Size, target: ReductionTarget): Size {
  const width = reducedLength(extent.width, target.width);
  const height = reducedLength(extent.height, target.height);
  const isReduced = width < Math.floor(extent.width) || height < Math.floor(extent.height);
  if (isReduced || !target.isExact) return { width, height };
  return { width: Math.ceil(extent.width), height: Math.ceil(extent.height) };
}

/** The picture's size in pixels of the reducer's result. */
export function reducedExtent(extent: Size, reduced: Size): Size {
  return isWhole(extent, reduced) ? extent : reduced;
}

/** @param extent size of the picture in pixels; fractional if a decoder scaled it down and rounded up */
export function createReducer(extent: Size, target: ReductionTarget): Reducer {
  const reduced = reducedSize(extent, target);
  return isWhole(extent, reduced) ? new PlainCopy(reduced) : new BoxReducer(extent, target);
}

/** Nanoseconds on the benchmark machine for each pixel and row added, and for each channel of a reduced row. */
const COST = { pixel: 8, row: 60, channel: 1.5 } as const;

/** Estimated nanoseconds for adding rows of `width` pixels each to a reducer. */
export function addingNanoseconds(rows: number, width: number, reduced: Size): number {
  return rows * (COST.row + width * COST.pixel + reduced.width * 3 * COST.channel);
}

/** Memory in bytes that a reducer takes, including its result. */
export function reducingBytes(extent: Size, reduced: Size): number {
  if (isWhole(extent, reduced)) return reduced.width * reduced.height * 4;
  return (reduced.width + 1) * (reduced.height + 1) * 16 + (extent.width + extent.height) * 10;
}

const JUST_BELOW_HALF = 0.4999;

function isWhole(extent: Size, reduced: Size): boolean {
  return Math.ceil(extent.width) === reduced.width && Math.ceil(extent.height) === reduced.height;
}

/** Keeps a picture that needs no reduction. */
class PlainCopy implements Reducer {
  readonly #pixels: Pixels;
  #latest = 0;

  constructor({ width, height }: Size) {
    this.#pixels = { width, height, rgba: new Uint8Array(width * height * 4) };
  }

  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x = 0, step = 1): void {
    const { width, rgba } = this.#pixels;
    this.#latest = y;
    for (let i = 0, at = x, from = 0; i < count; i++, at += step, from += channels) {
      const to = (y * width + at) * 4;
      rgba[to] = row[from] as number;
      rgba[to + 1] = row[from + 1] as number;
      rgba[to + 2] = row[from + 2] as number;
      rgba[to + 3] = 255;
    }
  }

  repeat(first: number, end: number): void {
    const { width, rgba } = this.#pixels;
    const from = this.#latest * width * 4;
    for (let y = first; y < end; y++) rgba.copyWithin(y * width * 4, from, from + width * 4);
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
  readonly #isExact: boolean;
  /** RGB sums of one row, with an extra box to hold `rest` of the last one. */
  readonly #line: Float32Array;
  readonly #sums: Float32Array;

  constructor(extent: Size, target: ReductionTarget) {
    this.#isExact = target.isExact === true;
    this.#columns = boxesAlong(extent.width, target.width);
    this.#rows = boxesAlong(extent.height, target.height);
    this.#line = new Float32Array((this.#columns.count + 1) * 3);
    this.#sums = new Float32Array((this.#rows.count + 1) * this.#line.length);
  }

  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x = 0, step = 1): void {
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
    this.#addRow(y);
  }

  repeat(first: number, end: number): void {
    for (let y = first; y < end; y++) this.#addRow(y);
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
        const half = this.#isExact && (x + y) % 2 === 1 ? JUST_BELOW_HALF : 0.5;
        rgba[to] = (this.#sums[from] as number) * scale + half;
        rgba[to + 1] = (this.#sums[from + 1] as number) * scale + half;
        rgba[to + 2] = (this.#sums[from + 2] as number) * scale + half;
        rgba[to + 3] = 255;
      }
    }
    return { rgba, width, height };
  }
}
