/**
 * A heat map over a photo, and in words.
 *
 * @import { Heatmap } from '../src/api/schemas.ts'
 */

/** Pixels along a side of what is drawn; the browser stretches it over the photo. */
const SIDE = 160;

/**
 * Matplotlib's "inferno" (CC0, Stéfan van der Walt and Nathaniel Smith) at ten even steps: its lightness grows evenly
 * with the value, so it says the same to the colour-blind and in grey.
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

/** How much of the photo the colour covers, where the value is 0 and where it is 1. */
const COVER = [0.3, 0.75];

/** Below this, a part of the photo does not speak for the label. */
const FAINT = 0.05;

const ROWS = ['top', '', 'bottom'];
const COLUMNS = ['left', '', 'right'];

/**
 * Draws the map, smooth between the middles of its cells.
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
      image.data.set([...colourOf(value), 255 * mix(COVER[0], COVER[1], value)], to);
    }
  }
  context.putImageData(image, 0, 0);
}

/**
 * What the map shows, for those who do not see the colours.
 *
 * @param {Heatmap} map
 * @param {string} label
 */
export function describeHeatmap({ rows, columns, values }, label) {
  const most = Math.max(...values);
  if (most < FAINT) return `Nothing in it speaks for “${label}”.`;
  const at = values.indexOf(most);
  const row = ROWS[third(Math.floor(at / columns), rows)];
  const column = COLUMNS[third(at % columns, columns)];
  const place = [row, column].filter(Boolean).join(' ') || 'centre';
  const share = values.filter((value) => value >= most / 2).length / values.length;
  const strength = most < 0.3 ? 'weakly' : most < 0.7 ? 'somewhat' : 'strongly';
  return `The ${place} speaks ${strength} for “${label}”, and ${Math.round(share * 100)}% of the picture at least half as much.`;
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
 * Bilinear between the middles of the cells.
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
