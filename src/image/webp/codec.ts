import { startsWith } from '../bytes.ts';
import type { Codec } from '../codec.ts';
import { INSTANCE_BYTES } from '../wasm-decoder.ts';
import { decodeWebp, webpDecoder } from './decode.ts';
import { MAX_PIXELS, readWebpHeader, type WebpHeader } from './header.ts';

export const webp: Codec<WebpHeader> = {
  format: 'webp',
  name: 'WebP',
  mediaTypes: ['image/webp'],
  idle: webpDecoder,
  matches: (bytes) => startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8),
  readHeader: readWebpHeader,
  describe: ({ lossless }) => (lossless ? 'lossless WebP' : 'WebP'),
  decodesInTime: ({ width, height }) => width * height <= MAX_PIXELS,
  decoderBytes,
  decode: (_bytes, header, target) => decodeWebp(header, target),
};

/** A copy of the file, RGBA and a few lines. Lossless pictures also take ARGB and the tables of their prefix codes. */
function decoderBytes({ frame, width, lossless, prefixCodeBytes, picture }: WebpHeader): number {
  const pixels = frame.width * frame.height * (lossless ? 8 : 4);
  return INSTANCE_BYTES + prefixCodeBytes + picture.length + pixels + frame.width * 128 + width * 4;
}
