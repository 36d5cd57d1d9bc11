import type { Orientation, Size } from './codec.ts';

/** Whether the stored rows are the upright picture's columns. */
export const isOnItsSide = (orientation: Orientation): boolean => orientation >= 5;

/** Converts a stored size to the upright size, and vice versa. */
export function upright({ width, height }: Size, orientation: Orientation): Size {
  return isOnItsSide(orientation) ? { width: height, height: width } : { width, height };
}

/** Index of the stored pixel at the upright picture's top left, and the distances to its right and lower neighbours. */
interface Walk {
  readonly start: number;
  readonly right: number;
  readonly down: number;
}

/** One case per value of EXIF's tag 274 (JEITA CP-3451), for `h` stored rows of `w` pixels. */
function walk(orientation: Orientation, w: number, h: number): Walk {
  const last = w * h - 1;
  switch (orientation) {
    case 1:
      return { start: 0, right: 1, down: w };
    case 2:
      return { start: w - 1, right: -1, down: w };
    case 3:
      return { start: last, right: -1, down: -w };
    case 4:
      return { start: last - (w - 1), right: 1, down: -w };
    case 5:
      return { start: 0, right: w, down: 1 };
    case 6:
      return { start: last - (w - 1), right: -w, down: 1 };
    case 7:
      return { start: last, right: -w, down: -1 };
    case 8:
      return { start: w - 1, right: w, down: -1 };
  }
}

/**
 * Turns stored RGBA pixels upright and converts them to float32.
 *
 * @param channels how many of the four to convert
 * @returns `height * width * channels` values in [0, 1], row by row
 */
export function toUprightTensor(
  rgba: Uint8Array,
  stored: Size,
  orientation: Orientation,
  channels: 1 | 3,
): Float32Array {
  const { width, height } = upright(stored, orientation);
  const { start, right, down } = walk(orientation, stored.width, stored.height);
  const tensor = new Float32Array(width * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = (start + y * down) * 4;
    for (let x = 0; x < width; x++, from += right * 4) {
      for (let channel = 0; channel < channels; channel++) tensor[to++] = (rgba[from + channel] ?? 0) / 255;
    }
  }
  return tensor;
}
