import type { Pixels, ResamplingPlan, Size } from './codec.ts';
import { convertToGrey } from './grey.ts';
import type { Reducer } from './reducer.ts';
import {
  type Axis,
  contributing,
  contributors,
  createWeights,
  PRECISION,
  readers,
  type Weights,
  weightBytes,
} from './weights.ts';

/**
 * Resizes a part of a picture as Pillow's `resize` does, to the last bit, while its rows arrive: two passes in integers,
 * with 8 bits in between (libImaging/Resample.c).
 *
 * @param extent size of the picture in pixels; fractional if a decoder scaled it down and rounded up
 */
export function createResampler(extent: Size, plan: ResamplingPlan): Reducer {
  const { across, down } = axesOf(extent, plan);
  const Resampler = plan.columnsFirst ? ColumnsFirst : RowsFirst;
  return new Resampler(createWeights(across), createWeights(down), plan.channels);
}

/** Whether Pillow 13 starts with the vertical pass, which changes the rounding. Both sizes are upright. */
export function resamplesColumnsFirst(photo: Size, target: Size): boolean {
  return target.height < photo.height && 2 * (photo.width - target.width) < photo.height - target.height;
}

/**
 * Nanoseconds on the benchmark machine: adding a row, converting a pixel to grey, and weighting a channel of a pixel.
 * Measured on photos of 12 megapixels; those of less than one take longer for each pixel.
 */
const COST = { row: 200, grey: 5, across: 1.1, down: 1.5 } as const;

/** Estimated nanoseconds for adding rows of `width` pixels each. */
export function resamplingNanoseconds(rows: number, width: number, extent: Size, plan: ResamplingPlan): number {
  const { across, down } = axesOf(extent, plan);
  const [columns, lines] = plan.columnsFirst ? [contributing(across), down.count] : [across.count, contributing(down)];
  const vertical = columns * down.count * contributors(down) * COST.down;
  const horizontal = lines * across.count * contributors(across) * COST.across;
  const share = (rows * width) / (across.length * down.length);
  const converting = plan.channels === 1 ? rows * width * COST.grey : 0;
  return rows * COST.row + converting + share * plan.channels * (vertical + horizontal);
}

/** Estimated nanoseconds for adding one row as any number of rows. */
export function repeatingNanoseconds(extent: Size, plan: ResamplingPlan): number {
  const { across, down } = axesOf(extent, plan);
  const [columns, lines] = plan.columnsFirst ? [contributing(across), down.count] : [across.count, 1];
  const vertical = columns * down.count * COST.down;
  const horizontal = lines * across.count * contributors(across) * COST.across;
  const converting = plan.channels === 1 ? across.length * COST.grey : 0;
  return COST.row + converting + down.count * contributors(down) + plan.channels * (vertical + horizontal);
}

/**
 * Memory in bytes that a resampler takes, including its result.
 *
 * @param band height of the part of the picture in which the pixels arrive in any order
 */
export function resamplingBytes(extent: Size, plan: ResamplingPlan, band: number): number {
  const { across, down } = axesOf(extent, plan);
  const { channels } = plan;
  const open = plan.columnsFirst ? readers(down, band) * across.length : Math.min(band, down.length) * across.count;
  const row = across.length * (1 + channels);
  return (
    open * channels * 4 + row + across.count * down.count * (4 + channels * 5) + weightBytes(across) + weightBytes(down)
  );
}

function axesOf(extent: Size, { photo, box, target, resampling }: ResamplingPlan): { across: Axis; down: Axis } {
  const [columns, rows] = [extent.width / photo.width, extent.height / photo.height];
  return {
    across: {
      ...{ length: Math.ceil(extent.width), from: box.left * columns, to: box.right * columns },
      ...{ count: target.width, resampling },
    },
    down: {
      ...{ length: Math.ceil(extent.height), from: box.top * rows, to: box.bottom * rows },
      ...{ count: target.height, resampling },
    },
  };
}

/** Sums of weighted pixels, and how many pixels are still to come. */
interface Line {
  readonly sums: Int32Array;
  missing: number;
}

/** Lines of sums that are not complete. */
class OpenLines {
  readonly #length: number;
  readonly #lines = new Map<number, Line>();
  readonly #free: Int32Array[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  /** @param missing pixels that a new line takes */
  open(index: number, missing: number): Line {
    const open = this.#lines.get(index);
    if (open) return open;
    const line = { sums: clear(this.#free.pop() ?? new Int32Array(this.#length)), missing };
    this.#lines.set(index, line);
    return line;
  }

  /** Removes a line; its sums are used again. */
  close(index: number, { sums }: Line): void {
    this.#lines.delete(index);
    this.#free.push(sums);
  }
}

/** Starts with one half, so that the result is rounded. */
const clear = (sums: Int32Array): Int32Array => sums.fill(1 << (PRECISION - 1));

/** Rounds sums to 8 bits and clips them. */
function round(sums: Int32Array, result: Uint8Array): void {
  for (let i = 0; i < sums.length; i++) {
    const value = (sums[i] as number) >> PRECISION;
    result[i] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
}

/** Pixels of a row, at the columns `x`, `x + step` and so on. */
interface Part {
  readonly row: Uint8Array;
  /** Bytes for each pixel. */
  readonly stride: number;
  readonly count: number;
  readonly x: number;
  readonly step: number;
}

abstract class Resampler implements Reducer {
  protected readonly across: Weights;
  protected readonly down: Weights;
  protected readonly channels: 1 | 3;
  protected readonly size: Size;
  readonly #grey: Uint8Array;

  constructor(across: Weights, down: Weights, channels: 1 | 3) {
    this.across = across;
    this.down = down;
    this.channels = channels;
    this.size = { width: across.first.length, height: down.first.length };
    this.#grey = new Uint8Array(channels === 1 ? across.reader.length : 0);
  }

  add(y: number, row: Uint8Array, channels: 3 | 4, count: number, x = 0, step = 1): void {
    this.#add(y, y + 1, row, channels, { count, x, step });
  }

  repeat(first: number, end: number, row: Uint8Array, channels: 3 | 4): void {
    this.#add(first, end, row, channels, { count: this.across.reader.length, x: 0, step: 1 });
  }

  #add(first: number, end: number, row: Uint8Array, channels: 3 | 4, at: Omit<Part, 'row' | 'stride'>): void {
    if (end <= first || !isRead(this.down, first, end)) return;
    if (this.channels === 3) {
      this.addRows(first, end, { row, stride: channels, ...at });
    } else {
      convertToGrey(row, channels, at.count, this.#grey);
      this.addRows(first, end, { row: this.#grey, stride: 1, ...at });
    }
  }

  protected abstract addRows(first: number, end: number, part: Part): void;

  abstract finish(): Pixels;

  protected toPixels(samples: Uint8Array): Pixels {
    const { channels } = this;
    const rgba = new Uint8Array(this.size.width * this.size.height * 4).fill(255);
    for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
      for (let i = 0; i < 3; i++) rgba[to + i] = samples[channels === 3 ? from + i : from] as number;
    }
    return { rgba, ...this.size };
  }
}

/** Resamples each row as soon as all its pixels have arrived, and adds it to the rows of the result. */
class RowsFirst extends Resampler {
  readonly #open = new OpenLines(this.size.width * this.channels);
  readonly #row = new Uint8Array(this.size.width * this.channels);
  readonly #sums = clear(new Int32Array(this.size.width * this.size.height * this.channels));

  protected addRows(first: number, end: number, part: Part): void {
    const line = this.#open.open(first, this.across.reader.length);
    addAcross(line.sums, this.across, this.channels, part);
    line.missing -= part.count;
    if (line.missing > 0) return;
    round(line.sums, this.#row);
    this.#open.close(first, line);
    forEachReader(this.down, first, end, (y, weight) => {
      addRow(this.#sums, y * this.#row.length, this.#row, weight);
    });
  }

  finish(): Pixels {
    const samples = new Uint8Array(this.#sums.length);
    round(this.#sums, samples);
    return this.toPixels(samples);
  }
}

/** Adds each pixel to the rows of the result, and resamples those as soon as all their pixels have arrived. */
class ColumnsFirst extends Resampler {
  readonly #open = new OpenLines(this.across.reader.length * this.channels);
  readonly #row = new Uint8Array(this.across.reader.length * this.channels);
  readonly #sums = new Int32Array(this.size.width * this.channels);
  readonly #samples = new Uint8Array(this.size.width * this.size.height * this.channels);

  protected addRows(first: number, end: number, part: Part): void {
    const { channels } = this;
    const width = this.across.reader.length;
    forEachReader(this.down, first, end, (y, weight, rows) => {
      const line = this.#open.open(y, width * ((this.down.end[y] as number) - (this.down.first[y] as number)));
      addDown(line.sums, this.across, channels, part, weight);
      line.missing -= rows * part.count;
      if (line.missing > 0) return;
      round(line.sums, this.#row);
      this.#open.close(y, line);
      addAcross(clear(this.#sums), this.across, channels, {
        row: this.#row,
        stride: channels,
        count: width,
        x: 0,
        step: 1,
      });
      round(this.#sums, this.#samples.subarray(y * this.#sums.length, (y + 1) * this.#sums.length));
    });
  }

  finish(): Pixels {
    return this.toPixels(this.#samples);
  }
}

/** Whether pixels of the result are made of any source pixels from `first` to `end`. */
function isRead(weights: Weights, first: number, end: number): boolean {
  const reader = weights.reader[first] as number;
  return reader < weights.first.length && (weights.first[reader] as number) < end;
}

/** Passes each pixel of the result that is made of some of the source pixels, the sum of their weights, and their number. */
function forEachReader(
  { first, end, values, size, reader }: Weights,
  from: number,
  to: number,
  use: (pixel: number, weight: number, count: number) => void,
): void {
  for (let i = reader[from] as number; i < first.length && (first[i] as number) < to; i++) {
    const start = first[i] as number;
    const begin = Math.max(from, start);
    const stop = Math.min(to, end[i] as number);
    let weight = 0;
    for (let k = begin; k < stop; k++) weight += values[i * size + k - start] as number;
    use(i, weight, stop - begin);
  }
}

/** Adds pixels of a row, weighted, to the sums of the resampled row. */
function addAcross(sums: Int32Array, weights: Weights, channels: 1 | 3, { row, stride, count, x, step }: Part): void {
  const { first, end, values, size, reader } = weights;
  const limit = x + (count - 1) * step + 1;
  for (let i = reader[x] as number; i < first.length && (first[i] as number) < limit; i++) {
    const start = first[i] as number;
    const skipped = start > x ? Math.ceil((start - x) / step) : 0;
    const base = i * size - start;
    const stop = base + Math.min(limit, end[i] as number);
    let from = skipped * stride;
    if (channels === 1) {
      let grey = sums[i] as number;
      for (let k = base + x + skipped * step; k < stop; k += step, from++) {
        grey = (grey + Math.imul(row[from] as number, values[k] as number)) | 0;
      }
      sums[i] = grey;
      continue;
    }
    let red = sums[3 * i] as number;
    let green = sums[3 * i + 1] as number;
    let blue = sums[3 * i + 2] as number;
    for (let k = base + x + skipped * step; k < stop; k += step, from += stride) {
      const weight = values[k] as number;
      red = (red + Math.imul(row[from] as number, weight)) | 0;
      green = (green + Math.imul(row[from + 1] as number, weight)) | 0;
      blue = (blue + Math.imul(row[from + 2] as number, weight)) | 0;
    }
    sums[3 * i] = red;
    sums[3 * i + 1] = green;
    sums[3 * i + 2] = blue;
  }
}

/** Adds those pixels of a row that `across` will read, times the weight of their row, to the sums of their columns. */
function addDown(
  sums: Int32Array,
  { first, end }: Weights,
  channels: 1 | 3,
  { row, stride, count, x, step }: Part,
  weight: number,
): void {
  const skipped = Math.max(0, Math.ceil(((first[0] as number) - x) / step));
  const stop = Math.min(count, Math.ceil(((end[end.length - 1] as number) - x) / step));
  const distance = step * channels;
  const last = stop * stride;
  let from = skipped * stride;
  let to = (x + skipped * step) * channels;
  if (channels === 1) {
    for (; from < last; from += stride, to += distance) {
      sums[to] = ((sums[to] as number) + Math.imul(row[from] as number, weight)) | 0;
    }
    return;
  }
  for (; from < last; from += stride, to += distance) {
    sums[to] = ((sums[to] as number) + Math.imul(row[from] as number, weight)) | 0;
    sums[to + 1] = ((sums[to + 1] as number) + Math.imul(row[from + 1] as number, weight)) | 0;
    sums[to + 2] = ((sums[to + 2] as number) + Math.imul(row[from + 2] as number, weight)) | 0;
  }
}

/** Adds a row, times its weight, to the sums from `at` on. */
function addRow(sums: Int32Array, at: number, row: Uint8Array, weight: number): void {
  for (let i = 0; i < row.length; i++) {
    sums[at + i] = ((sums[at + i] as number) + Math.imul(row[i] as number, weight)) | 0;
  }
}
