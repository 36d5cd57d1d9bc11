import { startsWith } from '../bytes.ts';
import type { Codec } from '../codec.ts';
import { decodePng, passesOf, rowBytes, rowNanoseconds } from './decode.ts';
import { type PngHeader, readPngHeader } from './header.ts';
import { INFLATE_PEAK_BYTES, inflateNanoseconds } from './inflate.ts';

/** Nanoseconds on the benchmark machine for reading a chunk. */
const CHUNK_COST = 300;

export const png: Codec<PngHeader> = {
  format: 'png',
  name: 'PNG',
  mediaTypes: ['image/png'],
  matches: (bytes) => startsWith(bytes, '\x89PNG\r\n\x1a\n'),
  readHeader: readPngHeader,
  decodeMilliseconds(header, target) {
    const rows = passesOf(header).map((pass) => pass.height * rowNanoseconds(pass.width, header, target));
    const { chunks, textNanoseconds, data } = header;
    const structure = chunks * CHUNK_COST + textNanoseconds + inflateNanoseconds(data.to - data.from);
    return rows.reduce((sum, each) => sum + each, structure) / 1e6;
  },
  /** Two stored rows, one RGB row, and the inflater. */
  decoderBytes: (header) => 2 * rowBytes(header.width, header) + 3 * header.width + INFLATE_PEAK_BYTES,
  bandHeight: ({ height, interlaced }) => (interlaced ? height : 1),
  decode: decodePng,
};
