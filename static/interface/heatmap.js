import { words } from '../words.js';

/** @import { Heatmap } from '../../src/api/schemas.ts' */

/** Pixels along each side of the drawing; the browser stretches it over the photo. */
const SIDE = 160;

/**
 * Matplotlib's "inferno" (CC0, Stéfan van der Walt and Nathaniel Smith) at ten even steps. Its lightness grows evenly
 * with the value, so it reads the same in grey and to the colour-blind.
 *
 * @type {readonly (readonly [red: number, green: number, blue: number])[]}
 */
const INFERNO = [
  [0, 0, 4],
  [27, 12, 65],
  [74, 12, 107],
  [120, 28, 109],
  [165, 44, 96],
  [207, 68, 70],
  [237, 105, 37],
  [251, 155, 6],
  [247, 209, 61],
  [252, 255, 164],
];

/** The colour's opacity for the values 0 and 1. */
const OPACITY = [0.3, 0.75];

/** Below this, no part of the photo is evidence for the label. */
const FAINT = 0.05;

/**
 * Draws the map, interpolated between the centres of its cells.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Heatmap} map
 */
export function drawHeatmap(canvas, map) {
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d');
  if (!context) return;
  const image = context.createImageData(SIDE, SIDE);
  for (let y = 0, to = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, to += 4) {
      const value = valueAt(map, (x + 0.5) / SIDE, (y + 0.5) / SIDE);
      image.data.set([...colourOf(value), 255 * mix(OPACITY[0], OPACITY[1], value)], to);
    }
  }
  context.putImageData(image, 0, 0);
}

/**
 * Describes the map for visitors who cannot see the colours.
 *
 * @param {Heatmap} map
 * @param {string} label
 */
export function describeHeatmap({ rows, columns, values }, label) {
  const most = Math.max(...values);
  if (most < FAINT) return words.emptyHeatmap(label);
  const at = values.indexOf(most);
  return words.heatmap({
    label,
    most,
    row: third(Math.floor(at / columns), rows),
    column: third(at % columns, columns),
    share: values.filter((value) => value >= most / 2).length / values.length,
  });
}

/**
 * @param {number} index
 * @param {number} count
 * @returns {number} 0, 1 or 2
 */
function third(index, count) {
  return Math.floor(((index + 0.5) / count) * 3);
}

/**
 * Interpolates bilinearly between the centres of the cells.
 *
 * @param {Heatmap} map
 * @param {number} x 0 to 1
 * @param {number} y 0 to 1
 */
function valueAt({ rows, columns, values }, x, y) {
  const [left, right, across] = between(x * columns - 0.5, columns);
  const [above, below, down] = between(y * rows - 0.5, rows);
  /** @type {(row: number) => number} */
  const along = (row) => mix(values[row * columns + left], values[row * columns + right], across);
  return mix(along(above), along(below), down);
}

/**
 * @param {number} position
 * @param {number} count
 * @returns {[before: number, after: number, part: number]}
 */
function between(position, count) {
  const inside = Math.min(Math.max(position, 0), count - 1);
  const before = Math.floor(inside);
  return [before, Math.min(before + 1, count - 1), inside - before];
}

/** @param {number} value 0 to 1 */
function colourOf(value) {
  const [before, after, part] = between(value * (INFERNO.length - 1), INFERNO.length);
  return [0, 1, 2].map((channel) => mix(INFERNO[before]?.[channel], INFERNO[after]?.[channel], part));
}

/**
 * @param {number} [from]
 * @param {number} [to]
 * @param {number} [part]
 */
function mix(from = 0, to = 0, part = 0) {
  return from + (to - from) * part;
}
