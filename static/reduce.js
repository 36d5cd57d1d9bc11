/**
 * A photo made small before it is sent: upright, with fewer pixels, and drawn anew, so that nothing but its pixels is
 * left: no EXIF, no place, no thumbnail of what was cropped away.
 */

import { formatOf } from './formats.js';
import { ApiProblem } from './problem.js';

/**
 * The shorter side is halved as long as this many pixels are left: more than the networks look at, so that the score
 * stays what the original's would be. Whole halvings, since the service reduces JPEGs by powers of two as well.
 */
const SHORT_SIDE = 512;

/** Of the JPEG, 0 to 1; of one that has no pixels to spare, so that it loses nothing else. */
const QUALITY = { usual: 0.92, small: 0.98 };

/**
 * @typedef {object} Prepared
 * @property {Blob} photo what is sent and shown
 * @property {boolean} isOriginal the browser could not make it smaller, so the file is sent as it is
 */

/**
 * What to send for a file.
 *
 * @param {Blob} file
 * @returns {Promise<Prepared>}
 * @throws {ApiProblem} it is no picture that the browser or the API can read
 */
export async function prepare(file) {
  if (file.size === 0) throw new ApiProblem({ code: 'empty_body' });
  const format = await formatOf(file).catch((cause) => {
    throw new ApiProblem({ code: 'unreadable' }, { cause });
  });
  try {
    const photo = await reduce(file, format !== 'jpeg');
    if (photo) return { photo, isOriginal: false };
  } catch {
    // Damaged, too large for this browser, or of a kind that it does not know: the API may do better.
  }
  if (format === null) throw new ApiProblem({ code: 'unsupported_media_type' });
  return { photo: file, isOriginal: true };
}

/**
 * The file as an upright JPEG of fewer pixels; null where it has transparent parts, of which the API sees the colours
 * beneath and a canvas does not.
 *
 * @param {Blob} file
 * @param {boolean} mayBeTransparent
 */
async function reduce(file, mayBeTransparent) {
  // The colours as they stand in the file, without its profile: so does the API read them.
  const bitmap = await createImageBitmap(file, {
    imageOrientation: 'from-image',
    colorSpaceConversion: 'none',
  });
  try {
    const short = Math.min(bitmap.width, bitmap.height);
    const halvings = Math.max(0, Math.floor(Math.log2(short / SHORT_SIDE)));
    const canvas = drawHalved(bitmap, halvings);
    if (mayBeTransparent && isTransparent(canvas)) return null;
    return await toJpeg(canvas, short < SHORT_SIDE ? QUALITY.small : QUALITY.usual);
  } finally {
    bitmap.close();
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} halvings
 */
function drawHalved(bitmap, halvings) {
  // A browser that knows `imageSmoothingQuality` averages all pixels in one step; another looks at four for each.
  const isSmooth = 'imageSmoothingQuality' in CanvasRenderingContext2D.prototype;
  /** @type {ImageBitmap | HTMLCanvasElement} */
  let source = bitmap;
  for (let step = isSmooth ? halvings : Math.min(halvings, 1); ; step++) {
    const width = Math.max(1, Math.round(bitmap.width / 2 ** step));
    const height = Math.max(1, Math.round(bitmap.height / 2 ** step));
    source = draw(source, width, height);
    if (step === halvings) return source;
  }
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 */
function draw(source, width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new TypeError('no canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

/** @param {HTMLCanvasElement} canvas */
function isTransparent(canvas) {
  const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  for (let alpha = 3; alpha < pixels.length; alpha += 4) {
    if (pixels[alpha] !== 255) return true;
  }
  return false;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} quality
 * @returns {Promise<Blob>}
 */
function toJpeg(canvas, quality) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new TypeError('no JPEG'))), 'image/jpeg', quality);
  });
}
