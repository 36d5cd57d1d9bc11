import { describe, expect, test } from 'vitest';
import { difference, type Picture, pictures, tensorOf } from '../pictures/pictures.ts';

/**
 * How far a tensor may be from Pillow's, in 1/255. Pillow decodes the same pixels and resizes them in one go. Where
 * nothing is reduced on the way there is only rounding (Pillow rounds and clips between its two passes, which black
 * and white edges bring out, and the ringing of an enlarged edge); where it is, the filters differ a little on the edges of these small drawings.
 */
function tolerance({ name, width, height, spec }: Picture): { mean: number; max: number } {
  if (width >= 4 * spec.width || height >= 4 * spec.height) return { mean: 3, max: 20 };
  return { mean: 0.5, max: /larger/.test(name) ? 18 : /grey 1|two colours/.test(name) ? 10 : 4 };
}

describe("a tensor is what Pillow makes of the picture, 16-bit grey apart, of which Pillow's is white", () => {
  test.each(pictures)('$name', async (picture) => {
    const { data, width, height } = await tensorOf(picture.bytes, picture.spec);
    expect({ width, height }).toEqual({ width: picture.width, height: picture.height });
    expect(data).toHaveLength(picture.expected.length);
    const { mean, max } = difference(data, picture.expected);
    const allowed = tolerance(picture);
    expect(mean).toBeLessThanOrEqual(allowed.mean);
    expect(Math.round(max)).toBeLessThanOrEqual(allowed.max);
  });
});
