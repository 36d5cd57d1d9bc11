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
 * @property {string} evidence the label that the heat map is about
 * @property {number | null} threshold
 * @property {Score[]} bars all labels of a model with more than a yes and a no, the most probable first
 */

/** A headline names no more labels than this. */
const MAX_NAMES = 3;

/**
 * Decides what a photo's card says.
 *
 * @param {Prediction} answer
 * @param {readonly string[]} [labels] the model's; needed if the service hides scores
 * @returns {Verdict}
 */
export function decideVerdict(answer, labels = []) {
  const { label, score, threshold, independent = false, scores = [] } = answer;
  const positive = positiveOf(label);
  const others = scores.length > 0 ? scores.map((each) => each.label) : labels;
  const isBinary = others.length === 0 ? label !== positive : others.every((each) => positiveOf(each) === positive);
  if (isBinary && !independent) {
    const isYes = label === positive;
    return {
      mood: isYes ? 'yes' : 'no',
      headline: isYes ? words.yes(positive) : words.no(positive),
      group: label,
      score,
      scoreName: words.scoreOf(positive),
      evidence: labels[0] ?? label,
      threshold,
      bars: [],
    };
  }
  const bars = scores.map((entry) => ({ ...entry, label: readable(entry.label) }));
  if (independent && threshold !== null) return decideIndependent(readable(label), score, threshold, bars);
  // A binary model's score belongs to its first label, which need not be the verdict.
  const own = scores.find((each) => each.label === label);
  return {
    mood: 'other',
    headline: words.capitalise(readable(label)),
    group: readable(label),
    score: own?.score ?? (threshold === null ? score : undefined),
    scoreName: words.probability,
    evidence: readable(threshold === null ? label : (labels[0] ?? label)),
    threshold: null,
    bars,
  };
}

/**
 * Several labels may apply, or none.
 *
 * @param {string} label the most probable one
 * @param {number | undefined} score its probability
 * @param {number} threshold
 * @param {Score[]} bars
 * @returns {Verdict}
 */
function decideIndependent(label, score, threshold, bars) {
  const applying = bars.filter((bar) => bar.score > threshold).map((bar) => bar.label);
  const isAny = applying.length > 0;
  return {
    mood: isAny ? 'other' : 'no',
    headline: isAny ? words.capitalise(words.labels(applying, MAX_NAMES)) : words.noLabel,
    group: isAny ? label : words.noLabelGroup,
    score,
    scoreName: words.scoreOf(label),
    evidence: label,
    threshold,
    bars,
  };
}

/** @param {string} label */
const positiveOf = (label) => label.replace(/^not /, '');

/** @param {string} label */
const readable = (label) => label.replaceAll('_', ' ');
