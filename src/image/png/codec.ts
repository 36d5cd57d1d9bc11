import { startsWith } from '../bytes.ts';
import type { Codec } from '../codec.ts';
import { decodePng, inflatedBytes, rowBytes } from './decode.ts';
import { type PngHeader, readPngHeader } from './header.ts';
import { INFLATE_PEAK_BYTES } from './inflate.ts';

/** Decoding time grows with the inflated size, not with the pixels. An 8K picture of 24 bits is just below. */
const MAX_INFLATED_BYTES = 100_000_000;

export const png: Codec<PngHeader> = {
  format: 'png',
  name: 'PNG',
  mediaTypes: ['image/png'],
  matches: (bytes) => startsWith(bytes, '\x89PNG\r\n\x1a\n'),
  readHeader: readPngHeader,
  decodesInTime: (header) => inflatedBytes(header) <= MAX_INFLATED_BYTES,
  /** Two stored rows, one RGB row, and the inflater. */
  decoderBytes: (header) => 2 * rowBytes(header.width, header) + 3 * header.width + INFLATE_PEAK_BYTES,
  decode: decodePng,
};
