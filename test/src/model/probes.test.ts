import { expect, test } from 'vitest';
import { drawProbe } from '../../../src/model/probes.ts';
import { brightness, manifestOf } from './publish.ts';

const { input } = await manifestOf(brightness);
const draw = (probe: Parameters<typeof drawProbe>[0], width: number, height: number, color: 'RGB' | 'L' = 'RGB') => {
  const data = new Float32Array(width * height * (color === 'L' ? 1 : 3));
  drawProbe(probe, { ...input, width, height, color }, data);
  return Array.from(data, (value) => Math.round(value * 255));
};
const expected = [0];

test('a solid probe repeats its color', () => {
  const drawn = draw({ name: 'x', kind: 'solid', rgb: [1, 2, 3], expected }, 2, 1);
  expect(drawn).toEqual([1, 2, 3, 1, 2, 3]);
});

test("a noise probe is mulberry32's sequence, as in the converter", () => {
  // Computed from the generator's definition, independently of this code.
  const drawn = draw({ name: 'x', kind: 'noise', seed: 1, expected }, 2, 1);
  expect(drawn).toEqual([160, 0, 135, 251, 247, 71]);
});

test('a grid probe is enlarged by nearest neighbor', () => {
  const rgb = btoa(String.fromCharCode(1, 1, 1, 2, 2, 2));
  const drawn = draw({ name: 'x', kind: 'grid', rows: 1, columns: 2, rgb, expected }, 4, 1);
  expect(drawn).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
});

test('in grey, a solid probe is its red, a noise probe has a number for each pixel, and a grid probe a byte for each cell', () => {
  expect(draw({ name: 'x', kind: 'solid', rgb: [7, 7, 7], expected }, 2, 1, 'L')).toEqual([7, 7]);
  expect(draw({ name: 'x', kind: 'noise', seed: 1, expected }, 2, 1, 'L')).toEqual([160, 0]);
  const rgb = btoa(String.fromCharCode(1, 2));
  expect(draw({ name: 'x', kind: 'grid', rows: 1, columns: 2, rgb, expected }, 4, 1, 'L')).toEqual([1, 1, 2, 2]);
});
