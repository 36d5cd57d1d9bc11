/**
 * `node draw.js SOURCES FOLDER`: cuts the drawn photos of the benchmarks into small ones of 512 pixels, as a browser sends
 * them, in all formats: each another part of the photo, so that each has a score of its own.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const PHOTOS = [11, 12, 13, 14, 15, 16];
const SIDE = 512;
/** Width of the part, and where it stands. */
const PARTS = [
  { width: 3000, left: 0, top: 0 },
  { width: 2000, left: 1900, top: 900 },
  { width: 1200, left: 700, top: 1500 },
  { width: 600, left: 3000, top: 300 },
];

/** @type {Record<string, (image: sharp.Sharp) => sharp.Sharp>} */
const FORMATS = {
  jpg: (image) => image.jpeg({ quality: 85 }),
  webp: (image) => image.webp({ quality: 80, effort: 2 }),
  png: (image) => image.png(),
  gif: (image) => image.gif({ effort: 1, dither: 0 }),
};

const [sources = '.', folder = '.'] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
for (const photo of PHOTOS) {
  for (const [index, { width, left, top }] of PARTS.entries()) {
    const part = sharp(join(sources, `scales-${photo}.jpg`))
      .extract({ left, top, width, height: width * 0.75 })
      .resize(SIDE);
    for (const [extension, save] of Object.entries(FORMATS)) {
      const name = `${photo}-${index}.${extension}`;
      await save(part.clone()).toFile(join(folder, `${name}.part`));
      await rename(join(folder, `${name}.part`), join(folder, name));
    }
  }
}
// The last of them: while it is missing, the folder counts for nothing.
await writeFile(join(folder, 'complete'), '');
