/** Pixels of each side of the probe. Browsers that add noise spare canvases of one colour. */
const SIDE = 16;
/** The difference, of 255, that colour management may cause. */
const TOLERANCE = 2;

/** @type {boolean | undefined} */
let isFaithful;

/**
 * Whether the pixels read from a canvas are those drawn on it. Firefox with `resistFingerprinting`, Brave and others
 * return noise.
 */
export function canReadCanvas() {
  isFaithful ??= probe();
  return isFaithful;
}

function probe() {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext('2d');
  if (!context) return false;
  const drawn = [];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const colour = [x * SIDE, y * SIDE, (x ^ y) * SIDE];
      context.fillStyle = `rgb(${colour})`;
      context.fillRect(x, y, 1, 1);
      drawn.push(...colour, 255);
    }
  }
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return drawn.every((value, at) => Math.abs(value - (data[at] ?? 0)) <= TOLERANCE);
}
