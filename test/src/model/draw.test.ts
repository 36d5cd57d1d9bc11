import { expect, test } from 'vitest';
import { Draw } from '../../../src/model/draw.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];

/** A draw whose random numbers are these, in order. */
function drawing(...numbers: readonly number[]): Draw {
  const left = [...numbers];
  return new Draw(() => left.shift() ?? Number.NaN);
}

const withCandidate = (version: string, share: number) => ({ version: A, candidate: { version, share } });

test('an isolate serves the candidate if its number is below the share', () => {
  expect(drawing(0.0999).choose(withCandidate(B, 10))).toEqual({ version: B, role: 'candidate' });
  expect(drawing(0.1).choose(withCandidate(B, 10))).toEqual({ version: A, role: 'stable' });
});

test('without a candidate nothing is drawn', () => {
  expect(drawing().choose({ version: A })).toEqual({ version: A, role: 'stable' });
  expect(drawing().choose(withCandidate(A, 10))).toEqual({ version: A, role: 'stable' });
});

test.each([
  [0.05, B],
  [0.2, A],
])('a draw of %d is kept when only the share changes', (number, served) => {
  const draw = drawing(number);
  for (const share of [10, 90, 1]) expect(draw.choose(withCandidate(B, share)).version).toBe(served);
});

test('a new candidate is drawn anew', () => {
  const draw = drawing(0.05, 0.9, 0.05);
  expect(draw.choose(withCandidate(B, 10)).version).toBe(B);
  expect(draw.choose(withCandidate(C, 10)).version).toBe(A);
  expect(draw.choose(withCandidate(B, 10)).version).toBe(B);
});

test('after an abort the same candidate is drawn anew', () => {
  const draw = drawing(0.9, 0.05);
  expect(draw.choose(withCandidate(B, 10)).version).toBe(A);
  expect(draw.choose({ version: A })).toEqual({ version: A, role: 'stable' });
  expect(draw.choose(withCandidate(B, 10)).version).toBe(B);
});

test('a promoted candidate is stable', () => {
  const draw = drawing(0.05);
  draw.choose(withCandidate(B, 10));
  expect(draw.choose({ version: B })).toEqual({ version: B, role: 'stable' });
});

test('a candidate that is given up stays so, whatever its share', () => {
  const draw = drawing(0.05);
  draw.choose(withCandidate(B, 10));
  expect(draw.lose()).toBe(B);
  expect(draw.choose(withCandidate(B, 99)).version).toBe(A);
  expect(draw.lose()).toBeUndefined();
});

test('of 10,000 draws at 10 % by the platform’s random numbers, about 1,000 win', () => {
  const wins = Array.from({ length: 10_000 }, () => new Draw().choose(withCandidate(B, 10))).filter(
    ({ role }) => role === 'candidate',
  ).length;
  // Six standard deviations: a correct draw fails this less than once in 10^8 runs.
  expect(Math.abs(wins - 1_000)).toBeLessThan(6 * Math.sqrt(10_000 * 0.1 * 0.9));
});
