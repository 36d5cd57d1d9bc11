import type { Size } from '../codec.ts';
import type { JpegHeader, JpegScan } from './header.ts';

/** By how much libjpeg-turbo scales while decoding; it does so in the frequency domain, where it costs nothing. */
export type JpegReduction = 1 | 2 | 4 | 8;

/** The largest reduction that leaves twice the target, which is the rule of Pillow's `reducing_gap=2`. */
export function jpegReduction(size: Size, target: Size): JpegReduction {
  const room = Math.min(size.width / target.width, size.height / target.height) / 2;
  return room >= 8 ? 8 : room >= 4 ? 4 : room >= 2 ? 2 : 1;
}

/** The size that the reduced picture stands for, in its own pixels. */
export function decodedSize(size: Size, target: Size): Size {
  const reduction = jpegReduction(size, target);
  return { width: size.width / reduction, height: size.height / reduction };
}

/** What libjpeg-turbo makes of `size`: it rounds up. */
export function scaledSize({ width, height }: Size, reduction: JpegReduction): Size {
  return { width: Math.ceil(width / reduction), height: Math.ceil(height / reduction) };
}

/**
 * The scans that a reduction has use for. At 1/8 a block becomes one pixel, its mean, so those that bring only
 * detail, which is most of a progressive file, need not be read.
 */
export function neededScans({ scans }: JpegHeader, reduction: JpegReduction): readonly JpegScan[] {
  return reduction === 8 ? scans.filter(({ detail }) => !detail) : scans;
}

/** The file up to its end, as views, without the scans that are not needed. */
export function neededParts(bytes: Uint8Array, header: JpegHeader, reduction: JpegReduction): Uint8Array[] {
  const needed = new Set(neededScans(header, reduction));
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const scan of header.scans) {
    if (needed.has(scan)) continue;
    parts.push(bytes.subarray(from, scan.from));
    from = scan.to;
  }
  parts.push(bytes.subarray(from, header.end));
  return parts;
}

/** How long those parts are in all. */
export function neededBytes(header: JpegHeader, reduction: JpegReduction): number {
  const length = (scans: readonly JpegScan[]) => scans.reduce((sum, { from, to }) => sum + to - from, 0);
  return header.end - length(header.scans) + length(neededScans(header, reduction));
}
