/**
 * `node draw.js FOLDER`: draws the benchmarks' pictures, the same ones everywhere. They contain what costs a decoder time:
 * smooth gradients, texture, edges, and a sensor's grain. Prints a line for each picture.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

/** @typedef {sharp.Sharp} Sharp */

/** @param {sharp.JpegOptions} [options] @returns {(image: Sharp) => Sharp} */
const jpeg = (options) => (image) => image.jpeg({ quality: 90, chromaSubsampling: '4:2:0', ...options });
/** What the page sends of a photo: see static/photos/prepare.js. @param {number} width @returns {(image: Sharp) => Sharp} */
const reduced = (width) => (image) => jpeg({ quality: 92 })(image.resize({ width }));
const png = (/** @type {Sharp} */ image) => image.png({ compressionLevel: 6 });
const webp = (/** @type {Sharp} */ image) => image.webp({ quality: 80, effort: 2 });
const gif = (/** @type {Sharp} */ image) => image.gif({ effort: 1, dither: 0 });

/**
 * File, width, height, seed, grain (the largest change of a byte value), and how the picture is saved.
 *
 * @type {readonly [string, number, number, number, number, (image: Sharp) => Sharp][]}
 */
const DRAWINGS = [
  ['jpeg-12mp.jpg', 4000, 3000, 1, 18, jpeg()],
  ['jpeg-3mp.jpg', 2000, 1500, 2, 18, jpeg()],
  ['jpeg-800.jpg', 800, 600, 3, 18, jpeg()],
  ['jpeg-1000-reduced.jpg', 4000, 3000, 1, 18, reduced(1000)],
  ['jpeg-512-reduced.jpg', 2732, 2048, 8, 18, reduced(683)],
  ['png-800.png', 800, 600, 3, 18, png],
  ['webp-800.webp', 800, 600, 3, 18, webp],
  ['gif-800.gif', 800, 600, 3, 18, gif],
  ['jpeg-48mp.jpg', 8000, 6000, 4, 12, jpeg()],
  ['jpeg-12mp-progressive.jpg', 4000, 3000, 1, 18, jpeg({ progressive: true })],
  ['png-2880x1800.png', 2880, 1800, 5, 3, png],
  ['png-3840x2160.png', 3840, 2160, 6, 2, png],
  ['webp-8mp.webp', 3264, 2448, 7, 12, webp],
];

/** Tommy Ettinger's 32-bit generator: integers from 0 to 2^32 - 1. @param {number} seed */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/**
 * RGB bytes: a gradient, waves of three sizes, discs with hard edges, grain.
 *
 * @param {number} width @param {number} height @param {number} seed @param {number} grain
 */
function paint(width, height, seed, grain) {
  const next = mulberry32(seed);
  const unit = () => next() / 4294967296;
  const colour = () => [0, 1, 2].map(() => 40 + unit() * 175);
  const [from, to] = [colour(), colour()];
  const waves = [3, 17, 90].map((count, i) => ({
    across: count * (0.5 + unit()),
    down: count * (0.5 + unit()),
    phase: unit() * 6.28,
    height: [28, 16, 9][i] ?? 0,
  }));
  const discs = Array.from({ length: 12 }, () => ({
    x: unit() * width,
    y: unit() * height,
    radius: (0.03 + unit() * 0.15) * width,
    colour: colour(),
  }));
  const rgb = new Uint8ClampedArray(width * height * 3);
  // A wave is the product of a row and a column, which saves most of the sines.
  const columns = waves.map(({ across, phase }) =>
    Float32Array.from({ length: width }, (_, x) => Math.sin((x / width) * across * 6.28 + phase)),
  );
  for (let y = 0, at = 0; y < height; y++) {
    const crossed = discs
      .map(({ x, y: centre, radius, colour }) => ({ x, half: radius ** 2 - (y - centre) ** 2, colour }))
      .filter(({ half }) => half > 0)
      .map(({ x, half, colour }) => ({ left: x - Math.sqrt(half), right: x + Math.sqrt(half), colour }));
    const rows = waves.map((wave) => wave.height * Math.cos((y / height) * wave.down * 6.28 + wave.phase));
    for (let x = 0; x < width; x++, at += 3) {
      const slope = (x / width + y / height) / 2;
      const wave = rows.reduce((sum, row, i) => sum + row * (columns[i]?.[x] ?? 0), 0);
      const disc = crossed.findLast(({ left, right }) => x >= left && x < right);
      const noise = next();
      for (let channel = 0; channel < 3; channel++) {
        const base = disc?.colour[channel] ?? (from[channel] ?? 0) * (1 - slope) + (to[channel] ?? 0) * slope;
        const speck = (((noise >>> (channel * 10)) & 1023) / 1023) * 2 - 1;
        rgb[at + channel] = base + wave + speck * grain;
      }
    }
  }
  return rgb;
}

const [, , folder = '.'] = process.argv;
for (const [name, width, height, seed, grain, save] of DRAWINGS) {
  const raw = { width, height, channels: /** @type {const} */ (3) };
  const image = sharp(paint(width, height, seed, grain), { raw, limitInputPixels: false });
  // An interruption must not leave half a picture under a complete one's name.
  await save(image).toFile(join(folder, `${name}.part`));
  await rename(join(folder, `${name}.part`), join(folder, name));
  console.log(name);
}
