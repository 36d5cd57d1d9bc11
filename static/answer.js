/**
 * What the API answers, parsed at the boundary: everything behind it can trust the shapes.
 *
 * @typedef {{ label: string, score: number }} Score
 * @typedef {object} Answer
 * @property {string} label the model's decision
 * @property {number | undefined} score P(first label) of a binary model, else P(label); absent when the service hides it
 * @property {number | null} threshold where a binary model's decision turns; null for any other classifier
 * @property {Score[]} scores every label, the most probable first; empty when the service hides them
 *
 * @typedef {object} Served
 * @property {string | undefined} name
 * @property {string | undefined} version
 * @property {string[]} labels
 * @property {string | undefined} signer fingerprint of the key whose signature was verified
 * @property {Date | undefined} verifiedAt
 */

/**
 * The prediction in a JSON value, or null where it is none.
 *
 * @param {unknown} value
 * @returns {Answer | null}
 */
export function parseAnswer(value) {
  if (!isRecord(value) || typeof value.label !== 'string') return null;
  const scores = Array.isArray(value.scores) ? value.scores.filter(isScore) : [];
  return {
    label: value.label,
    score: isProbability(value.score) ? value.score : undefined,
    threshold: isProbability(value.threshold) ? value.threshold : null,
    scores,
  };
}

/**
 * The description of the model served; whatever is missing is left out.
 *
 * @param {unknown} value
 * @returns {Served}
 */
export function parseServed(value) {
  const model = isRecord(value) ? value : {};
  const verified = isRecord(model.verified) ? model.verified : {};
  const at = typeof verified.at === 'string' ? new Date(verified.at) : undefined;
  return {
    name: typeof model.name === 'string' ? model.name : undefined,
    version: typeof model.version === 'string' ? model.version : undefined,
    labels: Array.isArray(model.labels) ? model.labels.filter((label) => typeof label === 'string') : [],
    signer: typeof verified.signer === 'string' ? verified.signer : undefined,
    verifiedAt: at && !Number.isNaN(at.getTime()) ? at : undefined,
  };
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isRecord(value) {
  return typeof value === 'object' && value !== null;
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
function isProbability(value) {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/**
 * @param {unknown} value
 * @returns {value is Score}
 */
function isScore(value) {
  return isRecord(value) && typeof value.label === 'string' && isProbability(value.score);
}
