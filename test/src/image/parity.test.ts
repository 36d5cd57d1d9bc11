import { describe, expect, test } from 'vitest';
import { difference, type Picture, pictures, toTensor } from '../pictures/pictures.ts';

/**
 * Allowed difference between a tensor and Pillow's, in 1/255. There is none, except for AVIF, whose conversion to RGB Pillow
 * approximates, HEIC of more than 8 bits, which Pillow truncates, and JPEGs that their decoder scales: their filters
 * differ slightly at the edges of these small pictures.
 */
function tolerance({ name, width, height, spec }: Picture): { mean: number; max: number } {
  if (name.startsWith('jpeg') && width >= 4 * spec.width && height >= 4 * spec.height) return { mean: 3, max: 20 };
  if (/^(avif|heic) 1/.test(name)) return { mean: 2, max: 24 };
  return /^avif/.test(name) ? { mean: 0.5, max: 4 } : { mean: 0.01, max: 1 };
}

describe('tensors match Pillow, except for 16-bit grey, which Pillow turns white', () => {
  test.each(pictures)('$name', async (picture) => {
    const { data, width, height } = await toTensor(picture.bytes, picture.spec);
    expect({ width, height }).toEqual({ width: picture.width, height: picture.height });
    expect(data).toHaveLength(picture.expected.length);
    const { mean, max } = difference(data, picture.expected);
    const allowed = tolerance(picture);
    expect(mean).toBeLessThanOrEqual(allowed.mean);
    expect(Math.round(max)).toBeLessThanOrEqual(allowed.max);
  });
});
