import type { Box, Pixels, Size } from '../../../src/image/codec.ts';
import { createWeights, PRECISION, type Resampling, type Weights } from '../../../src/image/weights.ts';

const CHANNELS = 4;

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
  const across = createWeights({ length: width, from: box.left, to: box.right, count: target.width, resampling });
  const down = createWeights({ length: height, from: box.top, to: box.bottom, count: target.height, resampling });
  if (columnsFirst) return resampleRows(resampleColumns(rgba, width, down), width, across, channels);
  return resampleColumns(resampleRows(rgba, width, across, channels), target.width, down);
}

function resampleRows(source: Uint8Array, width: number, weights: Weights, channels: 1 | 3): Uint8Array {
  const columns = weights.first.length;
  const rows = source.length / width / CHANNELS;
  const result = new Uint8ClampedArray(rows * columns * CHANNELS);
  for (let y = 0; y < rows; y++) {
    for (let x = 0, to = y * columns * CHANNELS; x < columns; x++, to += CHANNELS) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let from = (y * width + (weights.first[x] as number)) * CHANNELS;
      const start = x * weights.size;
      const stop = start + (weights.end[x] as number) - (weights.first[x] as number);
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
    for (let k = 0; k < (weights.end[y] as number) - (weights.first[y] as number); k++) {
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
