import { startsWith } from '../bytes.ts';
import { drawingNanoseconds } from '../canvas.ts';
import type { Codec, ReductionTarget } from '../codec.ts';
import { INSTANCE_BYTES } from '../wasm-decoder.ts';
import { decodeWebp, webpDecoder } from './decode.ts';
import { readWebpHeader, type WebpHeader } from './header.ts';

export const webp: Codec<WebpHeader> = {
  format: 'webp',
  name: 'WebP',
  mediaTypes: ['image/webp'],
  idle: webpDecoder,
  matches: (bytes) => startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8),
  readHeader: readWebpHeader,
  describe: ({ lossless }) => (lossless ? 'lossless WebP' : 'WebP'),
  decodeMilliseconds,
  decoderBytes,
  decode: (_bytes, header, target) => decodeWebp(header, target),
};

/** Nanoseconds on the benchmark machine for a byte and a pixel; `npm run bench -- decode` measures them. */
const COST = {
  lossy: { byte: 65, pixel: 55 },
  lossless: { byte: 60, pixel: 35, prefixCodeByte: 3 },
} as const;

function decodeMilliseconds(header: WebpHeader, target: ReductionTarget): number {
  const { frame, lossless, picture, prefixCodeBytes } = header;
  const { byte, pixel } = lossless ? COST.lossless : COST.lossy;
  const codes = prefixCodeBytes * COST.lossless.prefixCodeByte;
  const decoding = picture.length * byte + frame.width * frame.height * pixel + codes;
  return (decoding + drawingNanoseconds(header, frame, target)) / 1e6;
}

/** A copy of the file, RGBA and a few lines. Lossless pictures also take ARGB and the tables of their prefix codes. */
function decoderBytes({ frame, width, lossless, prefixCodeBytes, picture }: WebpHeader): number {
  const pixels = frame.width * frame.height * (lossless ? 8 : 4);
  return INSTANCE_BYTES + prefixCodeBytes + picture.length + pixels + frame.width * 128 + width * 4;
}
