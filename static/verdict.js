/**
 * An answer in words. Pure: what a photo's card shows is decided here and drawn in card.js.
 *
 * @import { ModelInfo, Prediction } from '../src/api/schemas.ts'
 * @typedef {{ label: string, score: number }} Score
 * @typedef {object} Verdict
 * @property {'yes' | 'no' | 'other'} mood
 * @property {string} headline
 * @property {string} group what the photo is counted under in the summary
 * @property {number | undefined} score absent where the service hides it
 * @property {string} scoreName what the number says, such as "husky score"
 * @property {number | null} threshold
 * @property {Score[]} bars the most probable labels, where there is more than a yes and a no to show
 */

const MOST_BARS = 5;

/**
 * @param {Prediction} answer
 * @param {readonly string[]} [labels] of the model served: where scores are hidden, only they say what there is
 * @returns {Verdict}
 */
export function verdictOf({ label, score, threshold, scores = [] }, labels = []) {
  const positive = positiveOf(label);
  const others = scores.length > 0 ? scores.map((each) => each.label) : labels;
  const isBinary =
    others.length === 0 ? label !== positive : others.every((each) => positiveOf(each) === positive);
  if (isBinary) {
    const isYes = label === positive;
    return {
      mood: isYes ? 'yes' : 'no',
      headline: isYes ? `It is ${withArticle(positive)}` : `Does not look like ${withArticle(positive)}`,
      group: label,
      score,
      scoreName: `${positive} score`,
      threshold,
      bars: [],
    };
  }
  // The score of a binary model is that of its first label, which need not be the one it decided for.
  const own = scores.find((each) => each.label === label);
  return {
    mood: 'other',
    headline: capitalised(readable(label)),
    group: readable(label),
    score: own?.score ?? (threshold === null ? score : undefined),
    scoreName: 'probability',
    threshold: null,
    bars: scores.slice(0, MOST_BARS).map((entry) => ({ ...entry, label: readable(entry.label) })),
  };
}

/**
 * The question that a model with these labels answers.
 *
 * @param {readonly string[]} labels
 */
export function questionFor(labels) {
  const [first] = labels;
  if (first === undefined) return null;
  return isYesOrNo(labels) ? `Is it ${withArticle(first)}?` : 'What is in the photo?';
}

/**
 * A probability as a percentage, never rounded up to certainty or down to nothing.
 *
 * @param {number} probability
 * @param {ModelInfo['service']['score']} [told] how exactly the service tells it
 */
export function percent(probability, told = 'full') {
  if (told === 'rounded') return `about ${Math.round(probability * 100)}%`;
  if (probability > 0.999 && probability < 1) return '> 99.9%';
  if (probability < 0.001 && probability > 0) return '< 0.1%';
  return `${(probability * 100).toFixed(1)}%`;
}

/** @param {readonly string[]} labels */
const isYesOrNo = ([first, second, ...others]) => others.length === 0 && second === `not ${first}`;

/** @param {string} label */
const positiveOf = (label) => label.replace(/^not /, '');

/** @param {string} noun */
function withArticle(noun) {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** @param {string} label */
const readable = (label) => label.replaceAll('_', ' ');

/** @param {string} text */
export function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
