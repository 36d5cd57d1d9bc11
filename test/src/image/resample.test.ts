import { describe, expect, test } from 'vitest';
import { difference, pictures, toTensor } from '../pictures/pictures.ts';

/** 16-bit grey, which Pillow turns white, and formats whose decoders round differently. */
const isExact = ({ name }: { name: string }) => !/^(jpeg cmyk|jpeg ycck)|grey 16/.test(name);

describe('a model that says how photos are resized gets what Pillow makes of them, to the last bit', () => {
  test.each(pictures.filter(isExact))('$name', async ({ bytes, spec, expected }) => {
    const { data } = await toTensor(bytes, { ...spec, resize: 'squeeze' });
    expect(difference(data, expected).max).toBeLessThan(0.001);
  });
});
