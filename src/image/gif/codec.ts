import { startsWith } from '../bytes.ts';
import type { Codec } from '../codec.ts';
import { decodeGif } from './decode.ts';
import { type GifHeader, readGifHeader } from './header.ts';
import { LZW_TABLE_BYTES } from './lzw.ts';

const MAX_PIXELS = 50_000_000;

export const gif: Codec<GifHeader> = {
  format: 'gif',
  name: 'GIF',
  mediaTypes: ['image/gif'],
  matches: (bytes) => startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a'),
  readHeader: readGifHeader,
  decodesInTime: ({ width, height }) => width * height <= MAX_PIXELS,
  /** The frame's indices, a row of the frame, a row of the canvas, and the code table. */
  decoderBytes: ({ width, frame }) => frame.width * frame.height + 4 * (width + frame.width) + LZW_TABLE_BYTES,
  decode: decodeGif,
};
