import { describe, expect, test } from 'vitest';
import { difference, type Picture, pictures, toTensor } from '../pictures/pictures.ts';

/**
 * Allowed difference between a tensor and Pillow's, in 1/255. Without reduction only rounding differs: Pillow rounds and
 * clips between its two passes, which shows at black and white edges and in the ringing of an enlarged edge. With
 * reduction the filters differ slightly at the edges of these small pictures. HEIC's chroma is interpolated here, and
 * repeated by libheif; pictures of more than 8 bits are rounded at another moment.
 */
function tolerance({ name, width, height, spec }: Picture): { mean: number; max: number } {
  if (width >= 4 * spec.width || height >= 4 * spec.height) return { mean: 3, max: 20 };
  if (/^heic|^avif 1/.test(name)) return { mean: 2, max: 24 };
  return { mean: 0.5, max: /larger/.test(name) ? 18 : /grey 1|two colours/.test(name) ? 10 : 4 };
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
