import type { Pixels, Size } from './photo.ts';

/** How source pixels along one axis fall into boxes: pixel `i` gives `first[i]` of itself to box `box[i]` and `rest[i]` to the next. */
interface Boxes {
  readonly count: number;
  /** Source pixels to a box. */
  readonly span: number;
  readonly box: Uint16Array;
  readonly first: Float32Array;
  readonly rest: Float32Array;
}

/** How many boxes an axis of `extent` pixels is reduced to: at least `2 * target` and less than `4 * target` where there are that many. */
export function reducedLength(extent: number, target: number): number {
  const factor = Math.floor(extent / (2 * target));
  return factor <= 1 ? Math.max(1, Math.round(extent)) : Math.floor(extent / factor);
}

function boxesAlong(extent: number, target: number): Boxes {
  const length = Math.ceil(extent);
  const count = reducedLength(extent, target);
  const end = count === Math.round(extent) ? count : extent;
  const span = end / count;
  const box = new Uint16Array(length);
  const first = new Float32Array(length);
  const rest = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.min(Math.floor(i / span), count - 1);
    const border = (at + 1) * span;
    box[i] = at;
    first[i] = Math.max(0, Math.min(end, i + 1, border) - i);
    rest[i] = at === count - 1 ? 0 : Math.max(0, i + 1 - border);
  }
  return { count, span, box, first, rest };
}

/**
 * Averages boxes of pixels as rows of them arrive, in any order, so that a large picture never has to be held
 * whole. The boxes are the largest that leave twice the target for the resampling filter, which is the rule of
 * Pillow's `reducing_gap=2`; unlike Pillow's they share the picture out evenly, cutting through pixels where its
 * size is no multiple of theirs, so that nothing shifts.
 */
export class Reducer {
  readonly #columns: Boxes;
  readonly #rows: Boxes;
  /** RGB sums of one row; one box longer than needed, so that `rest` of the last one has a place. */
  readonly #line: Float32Array;
  readonly #sums: Float32Array;

  /** @param extent size of the picture in pixels; fractional where a decoder has scaled it down and rounded up */
  constructor(extent: Size, target: Size) {
    this.#columns = boxesAlong(extent.width, target.width);
    this.#rows = boxesAlong(extent.height, target.height);
    this.#line = new Float32Array((this.#columns.count + 1) * 3);
    this.#sums = new Float32Array((this.#rows.count + 1) * this.#line.length);
  }

  /**
   * Adds pixels of row `y`: `count` of them, each `channels` bytes that begin with red, green, blue, standing at
   * `x`, `x + step`, `x + 2 * step`….
   */
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
    this.#addLine(y, line);
  }

  #addLine(y: number, line: Float32Array): void {
    const sums = this.#sums;
    const { box, first, rest } = this.#rows;
    const start = (box[y] as number) * line.length;
    const share = first[y] as number;
    const other = rest[y] as number;
    for (let i = 0; i < line.length; i++) (sums[start + i] as number) += (line[i] as number) * share;
    if (other === 0) return;
    const next = start + line.length;
    for (let i = 0; i < line.length; i++) (sums[next + i] as number) += (line[i] as number) * other;
  }

  /** The averages, once every pixel has been added. */
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
