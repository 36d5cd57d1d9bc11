import type { Size } from '../codec.ts';
import type { Colour } from './picture.ts';

/** Samples of one channel in the decoder's memory. */
export interface Plane extends Size {
  readonly samples: Uint8Array | Uint16Array;
  /** Distance between two rows in samples. */
  readonly stride: number;
}

/** A decoded picture: luma, and two planes of chroma unless it is grey. */
export interface YuvPicture {
  readonly luma: Plane;
  readonly chroma?: readonly [blue: Plane, red: Plane];
  /** Bits per sample. */
  readonly depth: number;
}

/** Estimated nanoseconds on the benchmark machine for converting a pixel. */
export const YUV_PIXEL_COST = 14;

/** Weights of red and blue in luma by H.273's matrix coefficients. All others count as BT.601. */
const WEIGHTS: Record<number, readonly [red: number, blue: number]> = {
  1: [0.2126, 0.0722],
  4: [0.3, 0.11],
  7: [0.212, 0.087],
  9: [0.2627, 0.0593],
  10: [0.2627, 0.0593],
};
const BT601 = [0.299, 0.114] as const;

/** Units of libheif's fixed point. */
const FIXED = 256;

/** The matrix of pictures that store green, blue and red. */
export const IDENTITY = 0;

/** The matrix of pictures that store luma, green chroma and orange chroma. */
const YCGCO = 8;

/**
 * Returns a function that converts a row to RGB, 8 bits per channel (H.273, 8.3). It returns the same array every time.
 *
 * @param library whose results to match where several are sensible. libavif interpolates subsampled chroma linearly
 *   between samples at the centres of their pixels. libheif repeats it, and converts 4:2:0 of 8 bits in fixed point.
 */
export function createYuvConverter(
  picture: YuvPicture,
  colour: Colour,
  library: 'libavif' | 'libheif',
): (y: number) => Uint8Array {
  const { luma, chroma, depth } = picture;
  const { width } = luma;
  const rgb = new Uint8ClampedArray(width * 3);
  const bytes = new Uint8Array(rgb.buffer);
  const unit = 2 ** (depth - 8);
  // libheif rounds to the picture's own depth first.
  const isDeep = library === 'libheif' && depth > 8;
  const white = isDeep ? 256 * unit - 1 : 255;
  const toByte = isDeep ? (value: number) => Math.round(value) * (255 / white) : (value: number) => value;
  const [black, lumaScale, chromaScale] = colour.fullRange
    ? [0, white / (256 * unit - 1), white / (256 * unit - 1)]
    : [16 * unit, white / (219 * unit), white / (224 * unit)];
  const at = (y: number) => y * luma.stride;
  if (!chroma) {
    return (y) => {
      for (let x = 0, from = at(y), to = 0; x < width; x++) {
        const grey = toByte(((luma.samples[from++] as number) - black) * lumaScale);
        rgb[to++] = grey;
        rgb[to++] = grey;
        rgb[to++] = grey;
      }
      return bytes;
    };
  }
  const [blue, red] = chroma;
  const upsample = library === 'libheif' ? repeat : interpolate;
  const blueRow = new Float32Array(width + 1);
  const redRow = new Float32Array(width + 1);
  if (colour.matrix === IDENTITY) {
    return (y) => {
      upsample(blue, luma, y, blueRow);
      upsample(red, luma, y, redRow);
      for (let x = 0, from = at(y), to = 0; x < width; x++) {
        rgb[to++] = toByte(((redRow[x] as number) - black) * lumaScale);
        rgb[to++] = toByte(((luma.samples[from++] as number) - black) * lumaScale);
        rgb[to++] = toByte(((blueRow[x] as number) - black) * lumaScale);
      }
      return bytes;
    };
  }
  if (colour.matrix === YCGCO) {
    return (y) => {
      upsample(blue, luma, y, blueRow);
      upsample(red, luma, y, redRow);
      for (let x = 0, from = at(y), to = 0; x < width; x++) {
        const grey = ((luma.samples[from++] as number) - black) * lumaScale;
        const green = ((blueRow[x] as number) - 128 * unit) * chromaScale;
        const orange = ((redRow[x] as number) - 128 * unit) * chromaScale;
        rgb[to++] = toByte(grey - green + orange);
        rgb[to++] = toByte(grey + green);
        rgb[to++] = toByte(grey - green - orange);
      }
      return bytes;
    };
  }
  const [redWeight, blueWeight] = WEIGHTS[colour.matrix] ?? BT601;
  const greenWeight = 1 - redWeight - blueWeight;
  const middle = 128 * unit;
  const isFixed = library === 'libheif' && depth === 8 && colour.fullRange && blue.height < luma.height;
  const toFixed = (factor: number) => (isFixed ? Math.round(factor * FIXED) / FIXED : factor);
  const red2 = 2 * (1 - redWeight) * chromaScale;
  const blue2 = 2 * (1 - blueWeight) * chromaScale;
  const toRed = toFixed(red2);
  const toBlue = toFixed(blue2);
  const redToGreen = toFixed((red2 * redWeight) / greenWeight);
  const blueToGreen = toFixed((blue2 * blueWeight) / greenWeight);
  // Fixed point rounds halves up; a clamped array rounds them to even.
  const half = isFixed ? 0.5 / FIXED : 0;
  return (y) => {
    upsample(blue, luma, y, blueRow);
    upsample(red, luma, y, redRow);
    for (let x = 0, from = at(y), to = 0; x < width; x++) {
      const grey = ((luma.samples[from++] as number) - black) * lumaScale + half;
      const u = (blueRow[x] as number) - middle;
      const v = (redRow[x] as number) - middle;
      rgb[to++] = toByte(grey + v * toRed);
      rgb[to++] = toByte(grey - u * blueToGreen - v * redToGreen);
      rgb[to++] = toByte(grey + u * toBlue);
    }
    return bytes;
  };
}

/** Writes the samples of a plane for every pixel of the luma's row `y`. */
type Upsampling = (plane: Plane, luma: Size, y: number, row: Float32Array) => void;

const repeat: Upsampling = ({ samples, stride, width, height }, luma, y, row) => {
  const from = (height < luma.height ? y >> 1 : y) * stride;
  const shift = width < luma.width ? 1 : 0;
  for (let x = 0; x < luma.width; x++) row[x] = samples[from + (x >> shift)] as number;
};

const interpolate: Upsampling = ({ samples, stride, width, height }, luma, y, row) => {
  let near = y * stride;
  let far = near;
  if (height < luma.height) {
    const line = y >> 1;
    near = line * stride;
    far = Math.min(height - 1, Math.max(0, (y & 1) === 0 ? line - 1 : line + 1)) * stride;
  }
  if (width === luma.width) {
    for (let x = 0; x < width; x++) row[x] = (3 * (samples[near + x] as number) + (samples[far + x] as number)) / 4;
    return;
  }
  let left = (3 * (samples[near] as number) + (samples[far] as number)) / 4;
  let value = left;
  for (let x = 0, to = 0; x < width; x++, to += 2) {
    const next = Math.min(x + 1, width - 1);
    const right = (3 * (samples[near + next] as number) + (samples[far + next] as number)) / 4;
    row[to] = (3 * value + left) / 4;
    row[to + 1] = (3 * value + right) / 4;
    left = value;
    value = right;
  }
};
