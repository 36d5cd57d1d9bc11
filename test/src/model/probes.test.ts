import { expect, test } from 'vitest';
import { drawProbe } from '../../../src/model/probes.ts';
import { brightness, manifestOf } from './publish.ts';

const { input } = await manifestOf(brightness);
const draw = (probe: Parameters<typeof drawProbe>[0], width = input.width, height = input.height) => {
  const data = new Float32Array(width * height * 3);
  drawProbe(probe, { ...input, width, height }, data);
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
