import { startsWith } from '../bytes.ts';
import type { Codec, Size } from '../codec.ts';
import { INSTANCE_BYTES } from '../wasm-decoder.ts';
import { decodeJpeg, jpegDecoder } from './decode.ts';
import { type JpegHeader, readJpegHeader } from './header.ts';
import { decodedSize, jpegReduction, neededBytes, neededScans, scaledSize } from './reduction.ts';

const MAX_PIXELS = 200_000_000;

/** Limit of pixels times repeated scans, since each scan walks the whole picture. */
const MAX_SCANNED_PIXELS = 400_000_000;

export const jpeg: Codec<JpegHeader> = {
  format: 'jpeg',
  name: 'JPEG',
  mediaTypes: ['image/jpeg'],
  idle: jpegDecoder,
  matches: (bytes) => startsWith(bytes, '\xff\xd8\xff'),
  readHeader: readJpegHeader,
  describe: ({ progressive, buffered }) => (progressive ? 'progressive JPEG' : buffered ? 'multi-scan JPEG' : 'JPEG'),
  decodesInTime,
  decoderBytes,
  decodedSize,
  alternative: (header) =>
    header.buffered ? { name: 'baseline JPEG', header: { ...header, buffered: false, scans: [] } } : undefined,
  decode: decodeJpeg,
};

function decodesInTime(header: JpegHeader, target: Size): boolean {
  const pixels = header.width * header.height;
  const repeatedScans = neededScans(header, jpegReduction(header, target)).length - 1;
  return pixels <= MAX_PIXELS && pixels * repeatedScans <= MAX_SCANNED_PIXELS;
}

/** A copy of the file, the scaled RGBA, a few lines of samples, and any buffered coefficients (16 bits each). */
function decoderBytes(header: JpegHeader, target: Size): number {
  const reduction = jpegReduction(header, target);
  const { width, height } = scaledSize(header, reduction);
  const lines = header.width * header.components.length * 32;
  const coefficients = header.buffered ? coefficientBytes(header) : 0;
  return INSTANCE_BYTES + neededBytes(header, reduction) + width * height * 4 + lines + coefficients;
}

/** Every component consists of blocks of 64 coefficients, rounded up to whole units (T.81, A.2). */
function coefficientBytes({ width, height, components }: JpegHeader): number {
  const maxHorizontal = Math.max(...components.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...components.map(({ vertical }) => vertical));
  const units = Math.ceil(width / (8 * maxHorizontal)) * Math.ceil(height / (8 * maxVertical));
  return components.reduce((sum, { horizontal, vertical }) => sum + units * horizontal * vertical * 128, 0);
}
