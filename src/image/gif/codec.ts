import { startsWith } from '../bytes.ts';
import { drawingNanoseconds } from '../canvas.ts';
import type { Codec } from '../codec.ts';
import { decodeGif, pixelNanoseconds } from './decode.ts';
import { type GifHeader, readGifHeader } from './header.ts';
import { LZW_TABLE_BYTES, lzwNanoseconds } from './lzw.ts';

/** Nanoseconds on the benchmark machine for each byte before the first frame; `npm run bench -- decode` measures it. */
const STRUCTURE_COST = 4;

export const gif: Codec<GifHeader> = {
  format: 'gif',
  name: 'GIF',
  mediaTypes: ['image/gif'],
  matches: (bytes) => startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a'),
  readHeader: readGifHeader,
  decodeMilliseconds(header, target) {
    const { frame, data, dataBytes } = header;
    const pixels = frame.width * frame.height;
    const structure = data * STRUCTURE_COST;
    const frameCost = lzwNanoseconds(dataBytes, pixels) + pixelNanoseconds(pixels);
    return (structure + frameCost + drawingNanoseconds(header, frame, target)) / 1e6;
  },
  /** The frame's indices, a row of the frame, a row of the canvas, and the code table. */
  decoderBytes: ({ width, frame }) => frame.width * frame.height + 4 * (width + frame.width) + LZW_TABLE_BYTES,
  decode: decodeGif,
};
