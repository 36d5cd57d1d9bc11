/** Prepares a photo for sending: upright, smaller, and with nothing left of the file but its pixels, so no EXIF data. */

import { ApiProblem } from '../client/problem.js';
import { words } from '../words.js';
import { canReadCanvas, isDrawnFaithfully } from './faithful.js';
import { mightBeSupported } from './formats.js';

/**
 * The shorter side is halved while at least this many pixels remain: more than the networks use, so that the score
 * stays that of the original. Whole halvings, because the service also reduces JPEGs by powers of two.
 */
const MIN_SHORT_SIDE = 512;

/** JPEG quality, 0 to 1. A photo with no pixels to spare must not lose anything else. */
const QUALITY = { usual: 0.92, small: 0.98 };

/**
 * @import { Formats } from './formats.js'
 *
 * @typedef {object} Prepared
 * @property {Blob} photo what to send and show
 * @property {boolean} isOriginal the file is sent as it is, because the browser could not shrink it, or not faithfully
 */

/**
 * Returns what to send for a file.
 *
 * @param {Blob} file
 * @param {Formats} [formats] the service's
 * @returns {Promise<Prepared>}
 * @throws {ApiProblem} the file is empty or unreadable, or neither the browser nor the service can decode it
 */
export async function prepare(file, formats) {
  if (file.size === 0) throw new ApiProblem({ code: 'empty_body' });
  await assertReadable(file);
  try {
    const isFaithful = canReadCanvas() && (await isDrawnFaithfully(file));
    const photo = isFaithful ? await reduce(file) : null;
    if (photo) return { photo, isOriginal: false };
  } catch {
    // Damaged, too large for this browser, or in a format unknown to it: the service may still decode it.
  }
  if (!mightBeSupported(file, formats)) {
    const names = formats?.map(({ name }) => name) ?? [];
    throw new ApiProblem({ code: 'unsupported_media_type', detail: words.notAccepted(file.type, names) });
  }
  return { photo: file, isOriginal: true };
}

/**
 * @param {Blob} file
 * @throws {ApiProblem}
 */
async function assertReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (cause) {
    throw new ApiProblem({ code: 'unreadable' }, { cause });
  }
}

/**
 * Returns the photo as an upright JPEG with fewer pixels; null if parts are transparent, because the service sees the
 * colours beneath and a canvas does not.
 *
 * @param {Blob} file
 */
async function reduce(file) {
  // Ignore the colour profile, as the service does.
  const bitmap = await createImageBitmap(file, {
    imageOrientation: 'from-image',
    colorSpaceConversion: 'none',
  });
  try {
    const short = Math.min(bitmap.width, bitmap.height);
    const halvings = Math.max(0, Math.floor(Math.log2(short / MIN_SHORT_SIDE)));
    const canvas = drawHalved(bitmap, halvings);
    if (isTransparent(canvas)) return null;
    return await toJpeg(canvas, short < MIN_SHORT_SIDE ? QUALITY.small : QUALITY.usual);
  } finally {
    bitmap.close();
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} halvings
 */
function drawHalved(bitmap, halvings) {
  // With `imageSmoothingQuality`, a browser averages all pixels in one step; without it, only four per pixel.
  const canSmooth = 'imageSmoothingQuality' in CanvasRenderingContext2D.prototype;
  /** @type {ImageBitmap | HTMLCanvasElement} */
  let source = bitmap;
  for (let step = canSmooth ? halvings : Math.min(halvings, 1); ; step++) {
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
