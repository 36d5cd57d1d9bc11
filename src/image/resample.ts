import type { Pixels, Size } from './codec.ts';
import { type Box, isSameSize } from './target.ts';

/** A kernel and the distance from its centre at which it ends. */
interface Filter {
  readonly support: number;
  readonly kernel: (x: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

function cubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

/** Pillow's filters, by name. */
const FILTERS = {
  bicubic: { support: 2, kernel: cubic },
  bilinear: { support: 1, kernel: (x) => Math.max(0, 1 - Math.abs(x)) },
  lanczos: { support: 3, kernel: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, Filter>;

/** A filter, by Pillow's name. */
export type Resampling = keyof typeof FILTERS;

/** Fraction bits of a weight: 8 bits for the result, and two that negative weights may need. */
const PRECISION = 32 - 8 - 2;

const CHANNELS = 4;

/** For each pixel of the result along one axis: the first source pixel, how many there are, and their weights. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `size` entries for each pixel of the result. */
  readonly values: Int32Array;
  readonly size: number;
}

/** Nanoseconds on the benchmark machine for a channel of a pixel that a weight is applied to. */
const TAP_COST = 1.5;

/** Upper bound of the nanoseconds that resampling takes, with any filter. */
export function resamplingNanoseconds(size: Size, target: Size): number {
  const across = size.height * Math.max(size.width, target.width);
  const down = target.width * Math.max(size.height, target.height);
  return TAP_COST * LARGEST_SUPPORT * (3 * across + CHANNELS * down);
}

/** Memory in bytes that resampling takes: the picture after one of the passes, a row of sums, and the result. */
export function resamplingBytes(size: Size, target: Size): number {
  const half = Math.max(target.width * size.height, size.width * target.height);
  const weights = 4 * LARGEST_SUPPORT * (size.width + size.height + target.width + target.height);
  return CHANNELS * (half + target.width * target.height + 4 * size.width) + weights;
}

const LARGEST_SUPPORT = 2 * FILTERS.lanczos.support;

/** Whether Pillow 13 starts with the vertical pass, which changes the rounding. Both sizes are upright. */
export function resamplesColumnsFirst(photo: Size, target: Size): boolean {
  return target.height < photo.height && 2 * (photo.width - target.width) < photo.height - target.height;
}

/**
 * Resizes a part of a picture as Pillow's `resize` does, to the last bit: two passes in integers, with 8 bits in between
 * (libImaging/Resample.c).
 *
 * @param box in the picture's pixels, fractions allowed
 * @param columnsFirst whether the first pass is the vertical one
 * @param channels how many of the four channels to compute: the first, or all but alpha
 * @returns RGBA of the target size; channels that are not computed are 0
 */
export function resample(
  pixels: Pixels,
  box: Box,
  target: Size,
  resampling: Resampling,
  { columnsFirst, channels }: { readonly columnsFirst: boolean; readonly channels: 1 | 3 },
): Uint8Array {
  const { rgba, width, height } = pixels;
  if (isSameSize(pixels, target) && box.left === 0 && box.top === 0 && box.right === width && box.bottom === height) {
    return rgba;
  }
  const across = createWeights(width, box.left, box.right, target.width, FILTERS[resampling]);
  const down = createWeights(height, box.top, box.bottom, target.height, FILTERS[resampling]);
  if (columnsFirst)
    return resampleRows(resampleColumns(rgba, width, down), width, across, channels, [0, target.height]);
  const last = target.height - 1;
  const rows = [down.first[0] as number, (down.first[last] as number) + (down.count[last] as number)] as const;
  return resampleColumns(resampleRows(rgba, width, across, channels, rows), target.width, down);
}

function createWeights(length: number, from: number, to: number, count: number, { support, kernel }: Filter): Weights {
  // Pillow's box has 32 bits.
  const start = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - start) / count;
  const filterScale = Math.max(1, scale);
  const reach = support * filterScale;
  const size = Math.ceil(reach) * 2 + 1;
  const weights = {
    first: new Int32Array(count),
    count: new Int32Array(count),
    values: new Int32Array(size * count),
    size,
  };
  const exact = new Float64Array(size);
  for (let i = 0; i < count; i++) {
    const centre = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    let sum = 0;
    for (let x = first; x < end; x++) {
      const weight = kernel((x - centre + 0.5) / filterScale);
      exact[x - first] = weight;
      sum += weight;
    }
    weights.first[i] = first;
    weights.count[i] = end - first;
    for (let x = 0; x < end - first; x++) {
      const value = ((exact[x] as number) / sum) * 2 ** PRECISION;
      weights.values[i * size + x] = Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
    }
  }
  return weights;
}

/** Resamples the rows from `first` up to but excluding `end`; the others stay 0. */
function resampleRows(
  source: Uint8Array,
  width: number,
  weights: Weights,
  channels: 1 | 3,
  [first, end]: readonly [first: number, end: number],
): Uint8Array {
  const columns = weights.first.length;
  const result = new Uint8ClampedArray((source.length / width) * columns);
  for (let y = first; y < end; y++) {
    for (let x = 0, to = y * columns * CHANNELS; x < columns; x++, to += CHANNELS) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let from = (y * width + (weights.first[x] as number)) * CHANNELS;
      const start = x * weights.size;
      const stop = start + (weights.count[x] as number);
      if (channels === 1) {
        for (let k = start; k < stop; k++, from += CHANNELS) {
          red = (red + Math.imul(source[from] as number, weights.values[k] as number)) | 0;
        }
        result[to] = red >> PRECISION;
        continue;
      }
      for (let k = start; k < stop; k++, from += CHANNELS) {
        const weight = weights.values[k] as number;
        red = (red + Math.imul(source[from] as number, weight)) | 0;
        green = (green + Math.imul(source[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2] as number, weight)) | 0;
      }
      result[to] = red >> PRECISION;
      result[to + 1] = green >> PRECISION;
      result[to + 2] = blue >> PRECISION;
    }
  }
  return new Uint8Array(result.buffer);
}

function resampleColumns(source: Uint8Array, width: number, weights: Weights): Uint8Array {
  const rows = weights.first.length;
  const stride = width * CHANNELS;
  const sums = new Int32Array(stride);
  const result = new Uint8ClampedArray(stride * rows);
  for (let y = 0; y < rows; y++) {
    sums.fill(1 << (PRECISION - 1));
    for (let k = 0; k < (weights.count[y] as number); k++) {
      const weight = weights.values[y * weights.size + k] as number;
      const from = ((weights.first[y] as number) + k) * stride;
      for (let x = 0; x < stride; x++) {
        sums[x] = (sums[x] as number) + Math.imul(source[from + x] as number, weight);
      }
    }
    for (let x = 0; x < stride; x++) result[y * stride + x] = (sums[x] as number) >> PRECISION;
  }
  return new Uint8Array(result.buffer);
}
