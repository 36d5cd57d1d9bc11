import type { Size } from '../codec.ts';
import type { JpegHeader, JpegScan } from './header.ts';

/** Factor by which libjpeg-turbo scales down while decoding, at no cost, in the frequency domain. */
type JpegReduction = 1 | 2 | 4 | 8;

type Picture = Pick<JpegHeader, 'width' | 'height' | 'delicate'>;

/** A delicate picture of up to this many pixels after reduction is reduced no further. */
const DELICATE_PIXELS = 4_000_000;

/**
 * Returns the largest reduction that leaves twice the target, as Pillow's `reducing_gap=2` does. A delicate picture is
 * reduced only as far as memory requires.
 */
export function jpegReduction({ width, height, delicate }: Picture, target: Size): JpegReduction {
  const room = Math.min(width / target.width, height / target.height) / 2;
  const need = delicate ? Math.sqrt((width * height) / DELICATE_PIXELS) : 8;
  return room >= 8 && need > 4 ? 8 : room >= 4 && need > 2 ? 4 : room >= 2 && need > 1 ? 2 : 1;
}

/** The exact size after reduction, which may be fractional. */
export function decodedSize(picture: Picture, target: Size): Size {
  const reduction = jpegReduction(picture, target);
  return { width: picture.width / reduction, height: picture.height / reduction };
}

/** The size of libjpeg-turbo's output, which rounds up. */
export function scaledSize({ width, height }: Size, reduction: JpegReduction): Size {
  return { width: Math.ceil(width / reduction), height: Math.ceil(height / reduction) };
}

/**
 * Returns the scans that a reduction needs. At 1/8 each block becomes one pixel, its DC coefficient, so the AC scans,
 * which make up most of a progressive file, are skipped.
 */
export function neededScans({ scans }: JpegHeader, reduction: JpegReduction): readonly JpegScan[] {
  return reduction === 8 ? scans.filter(({ detail }) => !detail) : scans;
}

const EOI = Uint8Array.of(0xff, 0xd9);

/** Returns views of the file up to EOI, which is added if it is missing, without the unneeded scans. */
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
  if (header.endless) parts.push(EOI);
  return parts;
}

/** Total length of `neededParts`. */
export function neededBytes(header: JpegHeader, reduction: JpegReduction): number {
  const length = (scans: readonly JpegScan[]) => scans.reduce((sum, { from, to }) => sum + to - from, 0);
  const end = header.end + (header.endless ? EOI.length : 0);
  return end - length(header.scans) + length(neededScans(header, reduction));
}
