import type { Codec, ReductionTarget } from '../codec.ts';
import { bandHeight, codedRatio, decodeHeif, drawingNanoseconds } from '../heif/decode.ts';
import { codedBytes, findCoding, type HeifPicture, readHeifPicture } from '../heif/picture.ts';
import { YUV_PIXEL_COST } from '../heif/yuv.ts';
import { cameraJpeg, jpeg } from '../jpeg/codec.ts';
import { LIBDE265_BYTES, Libde265 } from './libde265.ts';
import { type HevcConfig, readHevcConfig } from './nal.ts';

export interface HeicHeader extends HeifPicture {
  readonly config: HevcConfig;
  /** Bytes of all tiles, and of the largest. */
  readonly bytes: number;
  readonly tileBytes: number;
  /** Pixels that are decoded for each pixel of the picture. */
  readonly ratio: number;
}

export const heic: Codec<HeicHeader> = {
  format: 'heic',
  name: 'HEIC',
  mediaTypes: ['image/heic', 'image/heif'],
  matches: (bytes) => findCoding(bytes) === 'hvc1',
  readHeader(bytes) {
    const picture = readHeifPicture(bytes, 'hvc1', 'HEIC');
    const { tiles } = picture;
    return {
      ...picture,
      config: readHevcConfig(tiles[0]?.config ?? new Uint8Array()),
      bytes: codedBytes(tiles),
      tileBytes: Math.max(...tiles.map((tile) => codedBytes([tile]))),
      ratio: codedRatio(picture),
    };
  },
  describe: ({ config }) => (config.depth > 8 ? `HEIC of ${config.depth} bits` : 'HEIC'),
  alternative: (header, fits) => (fits(jpeg, cameraJpeg(header)) ? 'a JPEG' : undefined),
  decodeMilliseconds: (header, target) => (tileNanoseconds(header) + drawing(header, target)) / 1e6,
  decoderBytes,
  bandHeight,
  decode: (_bytes, header, target, pause) =>
    decodeHeif(
      header,
      target,
      () => new Libde265(header.config.depth, header.colour, decoderBytes(header)),
      (tileNanoseconds(header) + drawing(header, target)) / header.tiles.length,
      pause,
    ),
};

/**
 * Nanoseconds on the benchmark machine for a byte, a sample and a tile, fitted to noisy pictures. Photos take four
 * fifths of that or less; coarsely coded noise takes up to a quarter more.
 */
const COST = { start: 8_000_000, byte: 75, sample: 48, tile: 200_000 } as const;

/** How much longer samples of more than 8 bits take. */
const DEEP = 1.25;

/** Samples for each pixel, by chroma format. */
const SAMPLES = [1, 1.5, 2, 3] as const;

function samplesPerPixel({ config }: HeicHeader): number {
  return SAMPLES[config.chromaFormat] ?? 3;
}

/** Estimated nanoseconds for decoding and converting all tiles. */
function tileNanoseconds(header: HeicHeader): number {
  const { width, height, ratio, bytes, tiles } = header;
  const sample = COST.sample * (header.config.depth > 8 ? DEEP : 1);
  const pixel = samplesPerPixel(header) * sample + YUV_PIXEL_COST;
  return COST.start + bytes * COST.byte + width * height * ratio * pixel + tiles.length * COST.tile;
}

function drawing({ columns, ...size }: HeicHeader, target: ReductionTarget): number {
  return drawingNanoseconds(size, columns, target);
}

/** The picture, a copy of its luma for the last filter, its blocks, and the coded tile twice. */
function decoderBytes(header: HeicHeader): number {
  const { width, height, ratio, tiles, tileBytes, config } = header;
  const pixels = (width * height * ratio) / tiles.length;
  const sample = config.depth > 8 ? 2 : 1;
  const bytes = pixels * ((samplesPerPixel(header) + 1) * sample + 1.5) + 2 * tileBytes + 2_500_000;
  return Math.max(LIBDE265_BYTES, Math.ceil(bytes));
}
