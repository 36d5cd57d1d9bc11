/**
 * `node draw.js FOLDER`: draws the benchmarks' pictures into the folder, the same ones everywhere. They have what costs a
 * decoder its time: smooth gradients, texture, edges and a sensor's grain. Prints one line for each picture.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

/**
 * @typedef {object} Drawing
 * @property {string} name the file
 * @property {number} width
 * @property {number} height
 * @property {number} seed
 * @property {number} grain largest departure of a pixel, in byte values
 * @property {(image: sharp.Sharp) => sharp.Sharp} save
 */

/** @param {sharp.JpegOptions} [options] */
const jpeg = (options) => (/** @type {sharp.Sharp} */ image) =>
  image.jpeg({ quality: 90, chromaSubsampling: '4:2:0', ...options });
const png = (/** @type {sharp.Sharp} */ image) => image.png({ compressionLevel: 6 });
/** As the page makes a photo small before it sends it: see static/photos/prepare.js. @param {number} width */
const reduced = (width) => (/** @type {sharp.Sharp} */ image) =>
  image.resize({ width }).jpeg({ quality: 92, chromaSubsampling: '4:2:0' });
const webp = (/** @type {sharp.Sharp} */ image) => image.webp({ quality: 80, effort: 2 });
const gif = (/** @type {sharp.Sharp} */ image) => image.gif({ effort: 1, dither: 0 });

/** @type {Drawing[]} */
const DRAWINGS = [
  { name: 'jpeg-12mp.jpg', width: 4000, height: 3000, seed: 1, grain: 18, save: jpeg() },
  { name: 'jpeg-3mp.jpg', width: 2000, height: 1500, seed: 2, grain: 18, save: jpeg() },
  { name: 'jpeg-800.jpg', width: 800, height: 600, seed: 3, grain: 18, save: jpeg() },
  { name: 'jpeg-1000-reduced.jpg', width: 4000, height: 3000, seed: 1, grain: 18, save: reduced(1000) },
  { name: 'jpeg-512-reduced.jpg', width: 2732, height: 2048, seed: 8, grain: 18, save: reduced(683) },
  { name: 'png-800.png', width: 800, height: 600, seed: 3, grain: 18, save: png },
  { name: 'webp-800.webp', width: 800, height: 600, seed: 3, grain: 18, save: webp },
  { name: 'gif-800.gif', width: 800, height: 600, seed: 3, grain: 18, save: gif },
  { name: 'jpeg-48mp.jpg', width: 8000, height: 6000, seed: 4, grain: 12, save: jpeg() },
  {
    name: 'jpeg-12mp-progressive.jpg',
    width: 4000,
    height: 3000,
    seed: 1,
    grain: 18,
    save: jpeg({ progressive: true }),
  },
  { name: 'png-2880x1800.png', width: 2880, height: 1800, seed: 5, grain: 3, save: png },
  { name: 'png-3840x2160.png', width: 3840, height: 2160, seed: 6, grain: 2, save: png },
  { name: 'webp-8mp.webp', width: 3264, height: 2448, seed: 7, grain: 12, save: webp },
  ...[11, 12, 13, 14, 15, 16].map((seed) => ({
    name: `scales-${seed}.jpg`,
    width: 4000,
    height: 3000,
    seed,
    grain: 12,
    save: jpeg({ quality: 92 }),
  })),
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
 * RGB bytes: a slope of light, waves of three sizes, discs with hard edges, grain.
 *
 * @param {Drawing} drawing
 */
function paint({ width, height, seed, grain }) {
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
  // A wave is the product of a row and a column, so its sines are few.
  const columns = waves.map(({ across, phase }) =>
    Float32Array.from({ length: width }, (_, x) => Math.sin((x / width) * across * 6.28 + phase)),
  );
  for (let y = 0, at = 0; y < height; y++) {
    const crossed = discs
      .map(({ x, y: centre, radius, colour }) => ({ x, half: radius ** 2 - (y - centre) ** 2, colour }))
      .filter(({ half }) => half > 0)
      .map(({ x, half, colour }) => ({ left: x - Math.sqrt(half), right: x + Math.sqrt(half), colour }));
    const rows = waves.map(
      ({ down, phase, height: size }) => size * Math.cos((y / height) * down * 6.28 + phase),
    );
    for (let x = 0; x < width; x++, at += 3) {
      const slope = (x / width + y / height) / 2;
      const wave =
        (columns[0]?.[x] ?? 0) * (rows[0] ?? 0) +
        (columns[1]?.[x] ?? 0) * (rows[1] ?? 0) +
        (columns[2]?.[x] ?? 0) * (rows[2] ?? 0);
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

const [folder = '.'] = process.argv.slice(2);
for (const drawing of DRAWINGS) {
  const { name, width, height, save } = drawing;
  const image = sharp(paint(drawing), { raw: { width, height, channels: 3 }, limitInputPixels: false });
  // An interruption must not leave half a picture under a name that is taken for a whole one.
  await save(image).toFile(join(folder, `${name}.part`));
  await rename(join(folder, `${name}.part`), join(folder, name));
  console.log(name);
}
