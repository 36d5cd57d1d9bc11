/**
 * Parses the API's answers, so that the rest of the page can trust their shapes.
 *
 * @import { BatchEntry, Health, Heatmap, ModelInfo, Prediction, Problem } from '../../src/api/schemas.ts'
 * @import { Reply } from './transport.js'
 */

import { ApiProblem } from './problem.js';

/**
 * Returns the answer in a reply.
 *
 * @template T
 * @param {Reply} reply
 * @param {(value: unknown) => value is T} isAnswer
 * @returns {T}
 * @throws {ApiProblem} the reply is a problem, or not an answer of this API
 */
export function parseReply({ status, header, text }, isAnswer) {
  const value = parseJson(text);
  if (status === 200 && isAnswer(value)) return value;
  const requestId = header('X-Request-Id') ?? undefined;
  if (status === 200 || !isProblem(value)) throw new ApiProblem({ code: 'unexpected', status, requestId });
  const seconds = Number(header('Retry-After') ?? Number.NaN);
  const retryAfter = seconds > 0 ? Math.ceil(seconds) : undefined;
  throw new ApiProblem({ ...value, status, retryAfter, requestId, problem: value });
}

/**
 * @param {unknown} value
 * @returns {value is Prediction}
 */
export function isPrediction(value) {
  if (!isRecord(value) || typeof value.label !== 'string') return false;
  const { score, threshold, scores, heatmap, image } = value;
  return (
    isRecord(image) &&
    typeof image.width === 'number' &&
    typeof image.height === 'number' &&
    (score === undefined || isProbability(score)) &&
    (threshold === null || isProbability(threshold)) &&
    (scores === undefined || (Array.isArray(scores) && scores.every(isScore))) &&
    (heatmap === undefined || heatmap === null || isHeatmap(heatmap))
  );
}

/**
 * @param {unknown} value
 * @returns {value is BatchEntry[]}
 */
export function isBatch(value) {
  return Array.isArray(value) && value.every((entry) => isPrediction(entry) || isProblem(entry));
}

/**
 * @param {unknown} value
 * @returns {value is ModelInfo}
 */
export function isModelInfo(value) {
  if (!isRecord(value)) return false;
  const { name, version, labels, input, verified, service } = value;
  if (!isRecord(input) || !isRecord(verified) || !isRecord(service)) return false;
  return (
    typeof name === 'string' &&
    typeof version === 'string' &&
    isStrings(labels) &&
    typeof input.width === 'number' &&
    typeof input.height === 'number' &&
    typeof verified.signer === 'string' &&
    typeof verified.at === 'string' &&
    typeof service.token === 'boolean' &&
    typeof service.batch === 'number' &&
    Array.isArray(service.formats) &&
    service.formats.every(isFormat)
  );
}

/**
 * @param {unknown} value
 * @returns {value is Health}
 */
export function isHealth(value) {
  return isRecord(value) && typeof value.status === 'string' && isRecord(value.model);
}

/**
 * @param {unknown} value
 * @returns {value is Problem}
 */
function isProblem(value) {
  return isRecord(value) && typeof value.code === 'string';
}

/**
 * @param {unknown} value
 * @returns {value is Heatmap}
 */
function isHeatmap(value) {
  if (!isRecord(value) || !Array.isArray(value.values)) return false;
  const { rows, columns, values } = value;
  return (
    typeof rows === 'number' &&
    typeof columns === 'number' &&
    values.length > 0 &&
    values.length === rows * columns &&
    values.every(isProbability)
  );
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
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
 * @returns {boolean}
 */
function isScore(value) {
  return isRecord(value) && typeof value.label === 'string' && isProbability(value.score);
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function isFormat(value) {
  return isRecord(value) && typeof value.name === 'string' && isStrings(value.mediaTypes);
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function isStrings(value) {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/**
 * @param {string} text
 * @returns {unknown} undefined if the text is not JSON
 */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
