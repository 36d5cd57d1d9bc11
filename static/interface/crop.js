/**
 * @import { ModelInfo, Prediction } from '../../src/api/schemas.ts'
 *
 * @typedef {object} Margins shares of the photo's sides, 0 to 0.5, on each of two opposite edges
 * @property {number} x
 * @property {number} y
 */

/**
 * Returns the edges of a photo that the model does not see: it may crop photos at the centre.
 *
 * @param {Prediction['image']} image
 * @param {ModelInfo['input'] | undefined} input
 * @returns {Margins}
 */
export function unseenMargins({ width, height }, input) {
  if (input?.resize !== 'fit') return { x: 0, y: 0 };
  const seen = (input.width / input.height) * (height / width);
  return { x: Math.max(0, (1 - seen) / 2), y: Math.max(0, (1 - 1 / seen) / 2) };
}
