import { expect, test } from 'vitest';
import { describeDetails, noDetails } from '../../src/log.ts';

test.each([
  [1, '<=1'],
  [1_000_000, '<=1'],
  [1_000_001, '1-4'],
  [12_192_768, '12-24'],
  [50_000_000, '24-50'],
  [50_000_001, '>50'],
])('a photo of %d pixels is logged as %s megapixels', (pixels, expected) => {
  expect(describeDetails({ ...noDetails(), pixels }).megapixels).toBe(expected);
});

test('formats are logged once each, in an order that does not reveal the photos’ order', () => {
  const details = { ...noDetails(), photos: 3, formats: new Set(['png', 'gif']) };
  expect(describeDetails(details)).toEqual({ photos: 3, format: 'gif,png' });
});
