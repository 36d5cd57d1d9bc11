import { words } from '../words.js';

/**
 * @import { Prediction } from '../../src/api/schemas.ts'
 *
 * @typedef {{ label: string, score: number }} Score
 * @typedef {object} Verdict
 * @property {'yes' | 'no' | 'other'} mood
 * @property {string} headline
 * @property {string} group the summary counts the photo under this
 * @property {number | undefined} score absent if the service hides it
 * @property {string} scoreName such as "husky score"
 * @property {number | null} threshold
 * @property {Score[]} bars the most probable labels of a model with more than a yes and a no
 */

const MAX_BARS = 5;

/**
 * Decides what a photo's card says.
 *
 * @param {Prediction} answer
 * @param {readonly string[]} [labels] the model's; needed if the service hides scores
 * @returns {Verdict}
 */
export function decideVerdict({ label, score, threshold, scores = [] }, labels = []) {
  const positive = positiveOf(label);
  const others = scores.length > 0 ? scores.map((each) => each.label) : labels;
  const isBinary = others.length === 0 ? label !== positive : others.every((each) => positiveOf(each) === positive);
  if (isBinary) {
    const isYes = label === positive;
    return {
      mood: isYes ? 'yes' : 'no',
      headline: isYes ? words.yes(positive) : words.no(positive),
      group: label,
      score,
      scoreName: words.scoreOf(positive),
      threshold,
      bars: [],
    };
  }
  // A binary model's score belongs to its first label, which need not be the verdict.
  const own = scores.find((each) => each.label === label);
  return {
    mood: 'other',
    headline: words.capitalise(readable(label)),
    group: readable(label),
    score: own?.score ?? (threshold === null ? score : undefined),
    scoreName: words.probability,
    threshold: null,
    bars: scores.slice(0, MAX_BARS).map((entry) => ({ ...entry, label: readable(entry.label) })),
  };
}

/** @param {string} label */
const positiveOf = (label) => label.replace(/^not /, '');

/** @param {string} label */
const readable = (label) => label.replaceAll('_', ' ');
