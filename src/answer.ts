import type { Prediction } from './api/schemas.ts';
import type { Config } from './config.ts';
import { shortVersion } from './model/layout.ts';
import type { Scored } from './scoring.ts';

/**
 * What is told of a photo's score, as far as `SCORES` lets it be known. The verdict is always the exact score's. A
 * heat map would give away what rounding hides.
 */
export function predictionOf(
  { classification, classifier, image }: Scored,
  scores: Config['SCORES'],
): Prediction {
  const { version, manifest } = classifier;
  const { label, score, threshold, heatmap } = classification;
  const about = { image, model: { name: manifest.name, version: shortVersion(version) } };
  const asked = heatmap !== undefined;
  switch (scores) {
    case 'full':
      return {
        label,
        score,
        threshold,
        scores: [...classification.scores],
        ...(asked && { heatmap: heatmap && { ...heatmap, values: [...heatmap.values] } }),
        ...about,
      };
    case 'rounded':
      return {
        label,
        score: twoDecimals(score),
        threshold,
        scores: classification.scores.map((each) => ({ ...each, score: twoDecimals(each.score) })),
        ...(asked && { heatmap: null }),
        ...about,
      };
    case 'label':
      return { label, threshold: null, ...(asked && { heatmap: null }), ...about };
  }
}

/**
 * The percentage, with two decimals, that the original server's contract wants of a binary model's answer.
 *
 * @param positive the label whose probability it is
 */
export function percentageOf({ classification }: Scored, positive: string, scores: Config['SCORES']): string {
  const { label, score } = classification;
  const told = { full: score, rounded: twoDecimals(score), label: label === positive ? 1 : 0 }[scores];
  return (told * 100).toFixed(2);
}

const twoDecimals = (value: number): number => Math.round(value * 100) / 100;
