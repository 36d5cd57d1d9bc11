import { ImageTooLarge } from '../errors.ts';
import type { GifHeader } from './gif/header.ts';
import type { Header } from './header.ts';
import { jpegReduction, scaledSize } from './jpeg/decode.ts';
import type { JpegHeader } from './jpeg/header.ts';
import type { Size } from './photo.ts';
import { rowBytes } from './png/decode.ts';
import type { PngHeader } from './png/header.ts';
import { INFLATE_PEAK_BYTES } from './png/inflate.ts';
import { reducedLength } from './reducer.ts';
import type { WebpHeader } from './webp/header.ts';

/** What a decoder's instance holds before it has decoded anything, tables and stack included. */
const INSTANCE_BYTES = 512 * 1024;

/** Peak bytes that decoding takes beyond the file itself; checked against measured peaks in the tests. */
export function decodingBytes(header: Header, target: Size): number {
  return formatBytes(header, target) + reducingBytes(header, target);
}

function formatBytes(header: Header, target: Size): number {
  switch (header.format) {
    case 'jpeg':
      return jpegBytes(header, target);
    case 'png':
      return pngBytes(header);
    case 'gif':
      return gifBytes(header);
    case 'webp':
      return webpBytes(header);
  }
}

/** The file's copy, the scaled RGBA, a few lines, and the coefficients (16 bits each) where all are kept. */
function jpegBytes(header: JpegHeader, target: Size): number {
  const { width, height } = scaledSize(header, jpegReduction(header, target));
  const lines = header.width * header.components.length * 64;
  return (
    INSTANCE_BYTES +
    header.end +
    width * height * 4 +
    lines +
    (header.buffered ? coefficientBytes(header) : 0)
  );
}

function coefficientBytes({ width, height, components }: JpegHeader): number {
  const [maxH, maxV] = [
    Math.max(...components.map((c) => c.horizontal)),
    Math.max(...components.map((c) => c.vertical)),
  ];
  const units = Math.ceil(width / (8 * maxH)) * Math.ceil(height / (8 * maxV));
  return components.reduce((sum, { horizontal, vertical }) => sum + units * horizontal * vertical * 128, 0);
}

/** Two rows as stored, one as RGB, and what the inflater holds. */
function pngBytes(header: PngHeader): number {
  return 2 * rowBytes(header.width, header) + 3 * header.width + INFLATE_PEAK_BYTES;
}

/** One byte for each pixel of the frame, and the code table. */
function gifBytes({ width, frame }: GifHeader): number {
  return frame.width * frame.height + 4 * (width + frame.width) + 64 * 1024;
}

/** The file's copy and RGBA; a lossless picture is decoded to ARGB first. */
function webpBytes({ frame, width, lossless, picture }: WebpHeader): number {
  const pixels = frame.width * frame.height * (lossless ? 8 : 4);
  return INSTANCE_BYTES + picture.length + pixels + frame.width * 64 + width * 4;
}

/** Sums of three floats and RGBA for every box, and the tables of both axes. */
function reducingBytes(size: Size, target: Size): number {
  const boxes =
    (reducedLength(size.width, target.width) + 1) * (reducedLength(size.height, target.height) + 1);
  return boxes * 16 + (size.width + size.height) * 10;
}

export function checkBudget(header: Header, target: Size, availableBytes: number): void {
  if (decodingBytes(header, target) > availableBytes) throw new ImageTooLarge('too large');
}
