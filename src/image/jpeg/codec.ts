import { startsWith } from '../bytes.ts';
import type { Codec, Size } from '../codec.ts';
import { INSTANCE_BYTES } from '../wasm-decoder.ts';
import { countBlocks, decodeMilliseconds } from './cost.ts';
import { decodeJpeg, jpegDecoder } from './decode.ts';
import { type JpegHeader, readJpegHeader } from './header.ts';
import { decodedSize, jpegReduction, neededBytes, scaledSize } from './reduction.ts';

/** A buffered file of up to this many pixels is decoded in as much detail as a baseline one, beside its coefficients. */
const DETAILED_PIXELS = 2_000_000;

export const jpeg: Codec<JpegHeader> = {
  format: 'jpeg',
  name: 'JPEG',
  mediaTypes: ['image/jpeg'],
  idle: jpegDecoder,
  matches: (bytes) => startsWith(bytes, '\xff\xd8\xff'),
  readHeader: readJpegHeader,
  describe: ({ progressive, buffered }) => (progressive ? 'progressive JPEG' : buffered ? 'multi-scan JPEG' : 'JPEG'),
  decodeMilliseconds,
  decoderBytes,
  decodedSize,
  isDelicate: ({ delicate }) => delicate,
  /** The coefficients of a large buffered file take the memory that more pixels would. */
  leastPixels: ({ buffered, width, height }) => (buffered && width * height > DETAILED_PIXELS ? 256 : 896),
  alternative: (header, fits) =>
    header.buffered && fits(jpeg, { ...header, buffered: false, scans: header.scans.slice(0, 1) })
      ? 'a baseline JPEG'
      : undefined,
  decode: decodeJpeg,
};

/** Bytes for each pixel of a JPEG as cameras write them, at most. */
const CAMERA_BYTES = 0.4;

/** The header of a baseline JPEG of this size as cameras write it: what other formats can be saved as. */
export function cameraJpeg({ width, height }: Size): JpegHeader {
  const end = Math.ceil(width * height * CAMERA_BYTES);
  const small = { id: 2, horizontal: 1, vertical: 1 };
  return {
    ...{ width, height, end, orientation: 1, progressive: false, buffered: false, delicate: false, segments: 10 },
    endless: false,
    scans: [{ from: 0, to: end, components: 3, detail: false }],
    components: [{ id: 1, horizontal: 2, vertical: 2 }, small, small],
  };
}

/** A copy of the file, the scaled RGBA, a few lines of samples, and any buffered coefficients (16 bits each). */
function decoderBytes(header: JpegHeader, target: Size): number {
  const reduction = jpegReduction(header, target);
  const { width, height } = scaledSize(header, reduction);
  const lines = header.width * header.components.length * 32;
  const coefficients = header.buffered ? countBlocks(header) * 128 : 0;
  return INSTANCE_BYTES + neededBytes(header, reduction) + width * height * 4 + lines + coefficients;
}
