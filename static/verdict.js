/**
 * An answer in words. Pure: what a photo's card shows is decided here and drawn in card.js.
 *
 * @import { Answer, Score } from './answer.js'
 * @typedef {object} Verdict
 * @property {'yes' | 'no' | 'other'} mood
 * @property {string} headline
 * @property {number | undefined} score
 * @property {string} scoreName what the number says, such as "husky score"
 * @property {number | null} threshold
 * @property {Score[]} bars the most probable labels, where there is more than a yes and a no to show
 */

const MOST_BARS = 5;

/**
 * @param {Answer} answer
 * @returns {Verdict}
 */
export function verdictOf(answer) {
  const { score, threshold } = answer;
  const positive = answer.label.replace(/^not /, '');
  const isYesOrNo = answer.scores.every(({ label }) => label === positive || label === `not ${positive}`);
  if (threshold !== null && isYesOrNo) {
    const isYes = answer.label === positive;
    return {
      mood: isYes ? 'yes' : 'no',
      headline: isYes ? `It is ${withArticle(positive)}` : `Does not look like ${withArticle(positive)}`,
      score,
      scoreName: `${positive} score`,
      threshold,
      bars: [],
    };
  }
  // The score of a binary model is that of its first label, which need not be the one it decided for.
  const own = answer.scores.find(({ label }) => label === answer.label);
  return {
    mood: 'other',
    headline: capitalised(readable(answer.label)),
    score: own?.score ?? (threshold === null ? score : undefined),
    scoreName: 'probability',
    threshold: null,
    bars: answer.scores
      .slice(0, MOST_BARS)
      .map((entry) => ({ label: readable(entry.label), score: entry.score })),
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
  if (labels.length === 2 && labels[1] === `not ${first}`) return `Is it ${withArticle(first)}?`;
  return 'What is in the photo?';
}

/**
 * A probability with one decimal, never rounded up to certainty or down to nothing.
 *
 * @param {number} probability
 */
export function percent(probability) {
  if (probability > 0.999 && probability < 1) return '> 99.9%';
  if (probability < 0.001 && probability > 0) return '< 0.1%';
  return `${(probability * 100).toFixed(1)}%`;
}

/** @param {string} noun */
function withArticle(noun) {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** @param {string} label */
function readable(label) {
  return label.replaceAll('_', ' ');
}

/** @param {string} text */
function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
