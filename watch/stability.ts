import type { Histogram } from './counts.ts';

/** Rules of thumb from credit scoring call a population shifted above 0.2 or 0.25. */
export const THRESHOLD = 0.2;

/** With fewer scores on either side, sampling noise alone may exceed any useful threshold. */
export const FEWEST = 200;

/** Added to each bin, so that an empty one does not make the index infinite (Krichevsky and Trofimov 1981). */
const SMOOTHING = 0.5;

/** The standard deviations that a normal variable exceeds once in a thousand times. */
const RARE = 3.0902;

export interface Stability {
  /** The population stability index. */
  readonly index: number;
  /** The index above which the two populations are called different. */
  readonly limit: number;
  readonly verdict: 'stable' | 'shifted' | 'too few to judge';
}

/**
 * Compares two samples of scores by the population stability index, the sum of (p - q) ln(p / q) over the bins.
 *
 * Samples of n and m from one population have an index too: it is distributed as (1/n + 1/m) times chi-squared with
 * bins - 1 degrees of freedom (Yurdakul 2018, https://scholarworks.wmich.edu/dissertations/3208). So the limit is the
 * threshold, or what chance exceeds once in a thousand comparisons if that is higher.
 */
export function compare(actual: Histogram, expected: Histogram, threshold = THRESHOLD): Stability {
  const [p, q] = [toShares(actual), toShares(expected)];
  const index = p.reduce((sum, share, bin) => sum + (share - (q[bin] ?? 0)) * Math.log(share / (q[bin] ?? 0)), 0);
  const used = actual.bins.filter((count, bin) => count > 0 || (expected.bins[bin] ?? 0) > 0).length;
  const noise = (1 / actual.points + 1 / expected.points) * rareChiSquared(Math.max(1, used - 1));
  const limit = Math.max(threshold, noise);
  if (Math.min(actual.points, expected.points) < FEWEST) return { index, limit, verdict: 'too few to judge' };
  return { index, limit, verdict: index > limit ? 'shifted' : 'stable' };
}

/** Smoothed shares. Sampled counts are scaled to the data points behind them, so that they are smoothed as much. */
function toShares({ bins, points }: Histogram): readonly number[] {
  const total = bins.reduce((sum, count) => sum + count, 0);
  const scale = total === 0 ? 0 : points / total;
  return bins.map((count) => (count * scale + SMOOTHING) / (points + SMOOTHING * bins.length));
}

/** What a chi-squared variable exceeds once in a thousand times, by Wilson and Hilferty's approximation (1931). */
function rareChiSquared(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + RARE * Math.sqrt(spread)) ** 3;
}
