import type { Config } from '../config.ts';
import { shortVersion } from '../model/layout.ts';
import type { Scored } from '../predict/predictor.ts';
import type { Prediction } from './schemas.ts';

/**
 * The answer for a photo, with as much of the score as `SCORES` allows. The label always follows from the exact
 * score. A heat map would reveal what rounding hides.
 */
export function toPrediction(
  { classification, classifier, image }: Scored,
  scores: Config['SCORES'],
): Prediction {
  const { version, manifest } = classifier;
  const { label, score, threshold, heatmap } = classification;
  const about = { image, model: { name: manifest.name, version: shortVersion(version) } };
  const requested = heatmap !== undefined;
  switch (scores) {
    case 'full':
      return {
        label,
        score,
        threshold,
        scores: [...classification.scores],
        ...(requested && { heatmap: heatmap && { ...heatmap, values: [...heatmap.values] } }),
        ...about,
      };
    case 'rounded':
      return {
        label,
        score: twoDecimals(score),
        threshold,
        scores: classification.scores.map((each) => ({ ...each, score: twoDecimals(each.score) })),
        ...(requested && { heatmap: null }),
        ...about,
      };
    case 'label':
      return { label, threshold: null, ...(requested && { heatmap: null }), ...about };
  }
}

/**
 * The score of a binary model as the original server answers it: a percentage with two decimals.
 *
 * @param positive the label that the probability belongs to
 */
export function toPercentage({ classification }: Scored, positive: string, scores: Config['SCORES']): string {
  const { label, score } = classification;
  const shown = { full: score, rounded: twoDecimals(score), label: label === positive ? 1 : 0 }[scores];
  return (shown * 100).toFixed(2);
}

const twoDecimals = (value: number): number => Math.round(value * 100) / 100;
