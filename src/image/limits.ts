import { ImageTooLarge } from '../errors.ts';
import { peakBytes } from './budget.ts';
import type { Header } from './header.ts';
import type { JpegHeader } from './jpeg/header.ts';
import { jpegReduction, neededScans } from './jpeg/reduction.ts';
import type { Size } from './photo.ts';
import { inflatedBytes } from './png/decode.ts';
import { MAX_WEBP_PIXELS } from './webp/header.ts';

/** Pixels beyond which decoding would take longer than about two seconds, whatever the memory. */
const MAX_PIXELS = { jpeg: 200_000_000, gif: 50_000_000, webp: MAX_WEBP_PIXELS } as const;

/** The same for PNG, where time goes with the bytes that come out of the inflater: 8K in 24 bits is just below. */
const MAX_INFLATED_BYTES = 100_000_000;

/** The same for a JPEG of many scans, each of which is a walk over the whole picture. */
const MAX_SCANNED_PIXELS = 400_000_000;

/**
 * Refuses a photo that would take too long or more than `availableBytes` to decode.
 *
 * @throws ImageTooLarge with a detail that says what would fit
 */
export function checkLimits(header: Header, target: Size, availableBytes: number): void {
  const fits = (candidate: Header) =>
    inTime(candidate, target) && peakBytes(candidate, target) <= availableBytes;
  if (fits(header)) return;
  throw new ImageTooLarge(explain(header, fits));
}

function inTime(header: Header, target: Size): boolean {
  const pixels = header.width * header.height;
  switch (header.format) {
    case 'png':
      return inflatedBytes(header) <= MAX_INFLATED_BYTES;
    case 'jpeg':
      return pixels <= MAX_PIXELS.jpeg && pixels * repeatedScans(header, target) <= MAX_SCANNED_PIXELS;
    case 'gif':
      return pixels <= MAX_PIXELS.gif;
    case 'webp':
      return pixels <= MAX_PIXELS.webp;
  }
}

function repeatedScans(header: JpegHeader, target: Size): number {
  return neededScans(header, jpegReduction(header, target)).length - 1;
}

function explain(header: Header, fits: (candidate: Header) => boolean): string {
  const has = `This ${describe(header)} has ${megapixels(header)} megapixels`;
  const limit = largestThatFits(header, fits);
  if (!limit) return `${has} and needs more memory than is free.`;
  const advice = `up to ${megapixels(limit)} would fit`;
  if (header.format !== 'jpeg' || !header.buffered) return `${has}; ${advice}.`;
  const baseline = fits({ ...header, buffered: false, scans: [] });
  return `${has}; ${advice}${baseline ? ', and saved as a baseline JPEG this one would' : ''}.`;
}

function describe(header: Header): string {
  switch (header.format) {
    case 'jpeg':
      return header.progressive ? 'progressive JPEG' : header.buffered ? 'JPEG of several scans' : 'JPEG';
    case 'webp':
      return header.lossless ? 'lossless WebP' : 'WebP';
    default:
      return header.format.toUpperCase();
  }
}

/** The same photo made smaller until it fits, to within a thousandth of its sides. */
function largestThatFits(header: Header, fits: (candidate: Header) => boolean): Size | undefined {
  let low = 0;
  let high = 1000;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(scaled(header, middle / 1000))) low = middle;
    else high = middle;
  }
  return low === 0 ? undefined : scaled(header, low / 1000);
}

function scaled(header: Header, factor: number): Header {
  const scale = <T extends Size>(size: T): T => ({
    ...size,
    width: Math.max(1, Math.floor(size.width * factor)),
    height: Math.max(1, Math.floor(size.height * factor)),
  });
  return 'frame' in header ? { ...scale(header), frame: scale(header.frame) } : scale(header);
}

/** In millions, to one decimal, rounded down. */
function megapixels({ width, height }: Size): string {
  return (Math.floor((width * height) / 100_000) / 10).toFixed(1);
}
