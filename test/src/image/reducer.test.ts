import { describe, expect, test } from 'vitest';
import type { Size } from '../../../src/image/codec.ts';
import { createReducer } from '../../../src/image/reduction.ts';

type Colour = (x: number, y: number) => readonly [number, number, number];

function reduce(size: Size, target: Size, colour: Colour, extent = size) {
  const reducer = createReducer(extent, target);
  for (let y = 0; y < size.height; y++) {
    reducer.add(
      y,
      Uint8Array.from({ length: size.width * 3 }, (_, i) => colour(Math.floor(i / 3), y)[i % 3] ?? 0),
      3,
      size.width,
    );
  }
  return reducer.finish();
}

describe('sizes', () => {
  test.each([
    [31, 31],
    [32, 32],
    [63, 63],
    [64, 32],
    [65, 32],
    [96, 32],
    [127, 42],
    [1000, 32],
    [1, 1],
  ])('with a target of 16, %i pixels become %i', (before, after) => {
    const size = { width: before, height: before };
    const { width, height, rgba } = reduce(size, { width: 16, height: 16 }, () => [0, 0, 0]);
    expect([width, height, rgba.length]).toEqual([after, after, after * after * 4]);
  });
});

test('a single colour is preserved, opaque', () => {
  for (const size of [
    { width: 97, height: 31 },
    { width: 64, height: 101 },
    { width: 7, height: 5 },
  ]) {
    const { rgba } = reduce(size, { width: 8, height: 8 }, () => [200, 100, 7]);
    for (let i = 0; i < rgba.length; i += 4) expect([...rgba.subarray(i, i + 4)]).toEqual([200, 100, 7, 255]);
  }
});

test('boxes of whole pixels are averaged exactly', () => {
  const { rgba } = reduce({ width: 8, height: 4 }, { width: 2, height: 1 }, (x, y) => [x * 10, y * 10, (x % 2) * 100]);
  expect([...rgba.subarray(0, 12)]).toEqual([5, 5, 50, 255, 25, 5, 50, 255, 45, 5, 50, 255]);
});

test('a gradient does not shift when boxes cut through pixels', () => {
  for (const width of [65, 79, 100, 127]) {
    const { width: columns, rgba } = reduce({ width, height: 16 }, { width: 16, height: 16 }, (x) => [2 * x, 0, 0]);
    for (let i = 0; i < columns; i++) {
      const middle = ((i + 0.5) * width) / columns - 0.5;
      expect(Math.abs((rgba[i * 4] ?? 0) - 2 * middle)).toBeLessThanOrEqual(1);
    }
  }
});

test('a partial last pixel counts in proportion', () => {
  const { width, rgba } = reduce(
    { width: 34, height: 17 },
    { width: 16, height: 8 },
    (x) => [x === 33 ? 255 : 0, 0, 0],
    {
      width: 33.25,
      height: 17,
    },
  );
  expect(width).toBe(33);
  expect(rgba[32 * 4]).toBe(Math.round((255 * 0.25 * 33) / 33.25));
  expect(rgba[31 * 4]).toBe(0);
});

test('rows and pixels can be added in any order', () => {
  const size = { width: 80, height: 60 };
  const target = { width: 10, height: 10 };
  const colour: Colour = (x, y) => [(x * 7) & 255, (y * 11) & 255, (x * y) & 255];
  const reducer = createReducer(size, target);
  for (const start of [1, 0]) {
    for (let y = size.height - 1; y >= 0; y--) {
      const row = Uint8Array.from({ length: 40 * 4 }, (_, i) => colour(start + 2 * (i >> 2), y)[i % 4] ?? 9);
      reducer.add(y, row, 4, 40, start, 2);
    }
  }
  expect(reducer.finish()).toEqual(reduce(size, target, colour));
});
