import type { Config } from '../config.ts';
import { shortVersion } from '../model/layout.ts';
import type { Scored } from '../predict/predictor.ts';
import type { Prediction } from './schemas.ts';

/**
 * The answer for a photo, with as much of the score as `SCORES` allows. The label always follows from the exact
 * score. A heat map would reveal what rounding hides.
 *
 * @param topK how many of the most probable labels `scores` lists; default: all
 */
export function toPrediction(
  { classification, classifier, image }: Scored,
  SCORES: Config['SCORES'],
  topK?: number,
): Prediction {
  const { version, manifest } = classifier;
  const { label, score, threshold, independent, scores, heatmap } = classification;
  const shown = SCORES === 'rounded' ? twoDecimals : (value: number) => value;
  const hidden = SCORES === 'label';
  return {
    label,
    ...(!hidden && { score: shown(score) }),
    threshold: hidden ? null : threshold,
    ...(independent && { independent }),
    ...(!hidden && { scores: scores.slice(0, topK).map((each) => ({ ...each, score: shown(each.score) })) }),
    ...(heatmap !== undefined && {
      heatmap: SCORES === 'full' && heatmap ? { ...heatmap, values: [...heatmap.values] } : null,
    }),
    image,
    model: { name: manifest.name, version: shortVersion(version) },
  };
}

/**
 * The score of a binary model as the original server answers it: a percentage with two decimals.
 *
 * @param positive the label that the probability belongs to
 */
export function toPercentage({ classification }: Scored, positive: string, SCORES: Config['SCORES']): string {
  const { label, score } = classification;
  const shown = { full: score, rounded: twoDecimals(score), label: label === positive ? 1 : 0 }[SCORES];
  return (shown * 100).toFixed(2);
}

const twoDecimals = (value: number): number => Math.round(value * 100) / 100;
