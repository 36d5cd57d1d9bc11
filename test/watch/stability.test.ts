import { expect, test } from 'vitest';
import { BINS } from '../../src/counted-answer.ts';
import type { Histogram } from '../../watch/counts.ts';
import { compare, FEWEST, THRESHOLD } from '../../watch/stability.ts';
import { seeded } from '../random.ts';

/** As a good binary model spreads its scores: most of them near 0, some near 1, few between. */
const USUAL = Array.from({ length: BINS }, (_, bin) => 60 * 0.4 ** bin + 12 * 0.5 ** (BINS - 1 - bin) + 0.4);

/** A sample of this size. */
function sample(weights: readonly number[], points: number, random: () => number): Histogram {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const bins = Array<number>(BINS).fill(0);
  for (let drawn = 0; drawn < points; drawn++) {
    let left = random() * total;
    const bin = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return { bins, points };
}

test('the index is the sum of (p - q) ln(p / q)', () => {
  const bins = (first: number, last: number) => [first, ...Array<number>(BINS - 2).fill(0), last];
  const { index } = compare(
    { bins: bins(700_000, 300_000), points: 1_000_000 },
    { bins: bins(400_000, 600_000), points: 1_000_000 },
  );
  const exact = (0.7 - 0.4) * Math.log(0.7 / 0.4) + (0.3 - 0.6) * Math.log(0.3 / 0.6);
  expect(index).toBeCloseTo(exact, 4);
});

test('equal shares have the index 0, however many there are', () => {
  const bins = USUAL.map((weight) => Math.round(weight * 1_000));
  const points = bins.reduce((sum, each) => sum + each, 0);
  expect(compare({ bins, points }, { bins, points })).toMatchObject({ index: 0, limit: THRESHOLD, verdict: 'stable' });
});

test('an empty bin does not make the index infinite', () => {
  const [low, high] = [0, BINS - 1].map((full) => ({
    bins: Array.from({ length: BINS }, (_, bin) => (bin === full ? 1_000 : 0)),
    points: 1_000,
  }));
  if (!low || !high) throw new Error('two histograms');
  expect(compare(low, high)).toMatchObject({ index: expect.closeTo(15.1, 0), verdict: 'shifted' });
});

test.each([
  [FEWEST, 1_500],
  [FEWEST, FEWEST],
  [1_000, 1_000],
])('samples of %i and %i from one population: fewer than 5 false alarms in 2,000', (n, m) => {
  const random = seeded(1);
  let alarms = 0;
  let sum = 0;
  for (let round = 0; round < 2_000; round++) {
    const { index, verdict } = compare(sample(USUAL, n, random), sample(USUAL, m, random));
    if (verdict === 'shifted') alarms++;
    sum += index;
  }
  expect(alarms).toBeLessThan(5);
  // Its expectation without smoothing, which lowers it.
  expect(sum / 2_000).toBeLessThan((BINS - 1) * (1 / n + 1 / m));
});

test('a shift of a fifth of the photos to the highest scores is always found with 1,000 scores', () => {
  const random = seeded(2);
  const shifted = USUAL.map((weight, bin) => weight + (bin === BINS - 1 ? 45 : 0));
  for (let round = 0; round < 200; round++) {
    expect(compare(sample(shifted, 1_000, random), sample(USUAL, 1_500, random)).verdict).toBe('shifted');
  }
});

test('below the fewest scores there is no verdict, whatever they are', () => {
  const random = seeded(3);
  const few = { bins: Array.from({ length: BINS }, (_, bin) => (bin === 10 ? FEWEST - 1 : 0)), points: FEWEST - 1 };
  expect(compare(few, sample(USUAL, 1_500, random)).verdict).toBe('too few to judge');
  expect(compare(sample(USUAL, 1_500, random), few).verdict).toBe('too few to judge');
});

test('sampled answers count for no more than the points that were kept', () => {
  const random = seeded(4);
  const [kept, baseline] = [sample(USUAL, 300, random), sample(USUAL, 1_500, random)];
  const weighted = { bins: kept.bins.map((each) => each * 50), points: kept.points };
  expect(compare(weighted, baseline).index).toBeCloseTo(compare(kept, baseline).index);
  expect(compare(weighted, baseline).limit).toBe(compare(kept, baseline).limit);
});
