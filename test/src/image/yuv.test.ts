import { expect, test } from 'vitest';
import { createYuvConverter, type Plane } from '../../../src/image/heif/yuv.ts';

const plane = (samples: readonly number[], width: number): Plane => ({
  samples: Uint8Array.from(samples),
  stride: width,
  width,
  height: samples.length / width,
});

/** Four by two pixels in 4:2:0, whose chroma changes in the middle. */
const picture = {
  depth: 8,
  luma: plane([100, 100, 100, 100, 100, 100, 100, 100], 4),
  chroma: [plane([128, 128], 2), plane([96, 160], 2)] as const,
};

const reds = (library: 'libavif' | 'libheif') => {
  const rgb = createYuvConverter(picture, { matrix: 6, fullRange: true }, library)(0);
  return [0, 3, 6, 9].map((at) => rgb[at]);
};

test('libheif repeats chroma', () => {
  expect(reds('libheif')).toEqual([55, 55, 145, 145]);
});

test('libavif interpolates chroma', () => {
  expect(reds('libavif')).toEqual([55, 78, 122, 145]);
});

test.each([0, 1, 64, 100, 127, 191, 192, 255])('libheif converts 4:2:0 in fixed point: chroma of %i', (chroma) => {
  const square = {
    depth: 8,
    luma: plane([101, 101, 101, 101], 2),
    chroma: [plane([chroma], 1), plane([chroma], 1)] as const,
  };
  const [red, green, blue] = createYuvConverter(square, { matrix: 6, fullRange: true }, 'libheif')(0);
  const c = chroma - 128;
  const clip = (value: number) => Math.min(255, Math.max(0, value));
  // Op_YCbCr420_to_RGB24 in libheif's yuv2rgb.cc.
  const expected = [(359 * c + 128) >> 8, (-88 * c - 183 * c + 128) >> 8, (454 * c + 128) >> 8];
  expect([red, green, blue]).toEqual(expected.map((offset) => clip(101 + offset)));
});

test('YCgCo stores green and orange chroma', () => {
  const square = {
    depth: 8,
    luma: plane([100, 100, 100, 100], 2),
    chroma: [plane([138], 1), plane([133], 1)] as const,
  };
  for (const library of ['libavif', 'libheif'] as const) {
    const rgb = createYuvConverter(square, { matrix: 8, fullRange: true }, library)(0);
    expect([...rgb.subarray(0, 3)]).toEqual([95, 110, 85]);
  }
});
