import { describe, expect, test } from 'vitest';
import { difference, pictures, toTensor } from '../pictures/pictures.ts';

/** Decoded as in Pillow, unlike CMYK and the formats that Pillow converts to RGB with other arithmetic; 16-bit grey, it turns white. */
const equal = pictures.filter(({ name }) => !/^(jpeg cmyk|jpeg ycck|avif|heic)|grey 16/.test(name));

describe('a model that says how photos are resized gets what Pillow makes of them, to the last bit', () => {
  test.each(equal)('$name', async ({ bytes, spec, expected }) => {
    const { data } = await toTensor(bytes, { ...spec, resize: 'squeeze' });
    expect(difference(data, expected).max).toBeLessThan(0.001);
  });
});
