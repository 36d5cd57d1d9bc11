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
export const PRECISION = 32 - 8 - 2;

/** How the part of an axis between two positions becomes `count` pixels. */
export interface Axis {
  /** Source pixels along the whole axis. */
  readonly length: number;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly resampling: Resampling;
}

/** For each pixel of the result along one axis: the source pixels that contribute to it, and their weights. */
export interface Weights {
  readonly first: Int32Array;
  /** One past the last source pixel. */
  readonly end: Int32Array;
  /** `size` entries for each pixel of the result. */
  readonly values: Int32Array;
  readonly size: number;
  /** For each source pixel, the first pixel of the result that it or a later one contributes to. */
  readonly reader: Int32Array;
}

/** Distance from the centre of a pixel of the result to its last contributor. */
function reachOf({ from, to, count, resampling }: Axis): number {
  return FILTERS[resampling].support * Math.max(1, (to - from) / count);
}

const sizeOf = (reach: number): number => Math.ceil(reach) * 2 + 1;

/** Source pixels that contribute to a pixel of the result, at most. */
export function contributors(axis: Axis): number {
  return Math.min(axis.length, 2 * reachOf(axis) + 1);
}

/** Pixels of the result that a run of source pixels contributes to, at most. */
export function readers(axis: Axis, run: number): number {
  const { from, to, count } = axis;
  return Math.min(count, Math.ceil(((run + 2 * reachOf(axis)) * count) / (to - from)) + 1);
}

/** Source pixels that contribute to any pixel of the result, at most. */
export function contributing(axis: Axis): number {
  return Math.min(axis.length, axis.to - axis.from + 2 * reachOf(axis));
}

/** Memory in bytes that the weights of an axis take. */
export function weightBytes(axis: Axis): number {
  const size = sizeOf(reachOf(axis));
  return 4 * (axis.count * (size + 2) + axis.length + 2 * size);
}

/** Computes the weights as Pillow does (`precompute_coeffs` and `normalize_coeffs_8bpc` in libImaging/Resample.c). */
export function createWeights(axis: Axis): Weights {
  const { length, from, to, count, resampling } = axis;
  const { support, kernel }: Filter = FILTERS[resampling];
  // Pillow's box has 32 bits.
  const start = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - start) / count;
  const filterScale = Math.max(1, scale);
  const reach = support * filterScale;
  const size = sizeOf(reach);
  const weights = {
    first: new Int32Array(count),
    end: new Int32Array(count),
    values: new Int32Array(size * count),
    size,
    reader: new Int32Array(length).fill(count),
  };
  const exact = new Float64Array(size);
  for (let i = 0, read = 0; i < count; i++) {
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
    weights.end[i] = end;
    for (let x = 0; x < end - first; x++) {
      const value = ((exact[x] as number) / sum) * 2 ** PRECISION;
      weights.values[i * size + x] = Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
    }
    if (end > read) weights.reader.fill(i, read, end);
    read = Math.max(read, end);
  }
  return weights;
}
