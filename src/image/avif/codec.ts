import { MalformedImage } from '../../errors.ts';
import type { Codec, ReductionTarget } from '../codec.ts';
import { bandHeight, codedRatio, decodeHeif, drawingNanoseconds, type TileDecoder } from '../heif/decode.ts';
import { codedBytes, findCoding, type HeifPicture, readHeifPicture } from '../heif/picture.ts';
import { IDENTITY, YUV_PIXEL_COST } from '../heif/yuv.ts';
import { cameraJpeg, jpeg } from '../jpeg/codec.ts';
import { DAV1D_BYTES, Dav1d, type PlainPicture, type Sampling } from './dav1d.ts';
import { LIBAVIF_BYTES, Libavif } from './libavif.ts';
import { type Av1Config, countFrames, readAv1Config, readSequenceColour } from './obu.ts';

export interface AvifHeader extends HeifPicture {
  readonly config: Av1Config;
  /** Frames of all tiles. */
  readonly frames: number;
  /** Bytes of all tiles, and of the largest. */
  readonly bytes: number;
  readonly tileBytes: number;
  /** Pixels that are decoded for each pixel of the picture. */
  readonly ratio: number;
  /** What dav1d can decode; libavif takes everything else, but three times the time and memory. */
  readonly plain: PlainPicture | undefined;
}

/** Progressive pictures have up to four layers. */
const MAX_LAYERS = 4;

export const avif: Codec<AvifHeader> = {
  format: 'avif',
  name: 'AVIF',
  mediaTypes: ['image/avif'],
  matches: (bytes) => findCoding(bytes) === 'av01',
  readHeader(bytes) {
    const picture = readHeifPicture(bytes, 'av01', 'AVIF');
    const { tiles } = picture;
    const counts = tiles.map(({ data }) => countFrames(data));
    if (counts.some((count) => count < 1 || count > MAX_LAYERS)) {
      throw new MalformedImage('The AVIF has a picture that is not a still one.');
    }
    const frames = counts.reduce((sum, count) => sum + count, 0);
    const config = readAv1Config(tiles[0]?.config ?? new Uint8Array());
    return {
      ...picture,
      config,
      frames,
      bytes: codedBytes(tiles),
      tileBytes: Math.max(...tiles.map((tile) => codedBytes([tile]))),
      ratio: codedRatio(picture),
      plain: frames === tiles.length ? findPlain(picture, config) : undefined,
    };
  },
  describe: ({ config }) => (config.depth > 8 ? `AVIF of ${config.depth} bits` : 'AVIF'),
  alternative: (header, fits) => (fits(jpeg, cameraJpeg(header)) ? 'a JPEG' : undefined),
  decodeMilliseconds: (header, target) => (tileNanoseconds(header) + drawing(header, target)) / 1e6,
  decoderBytes,
  bandHeight,
  decode: (_bytes, header, target, pause) =>
    decodeHeif(
      header,
      target,
      () => createDecoder(header),
      (tileNanoseconds(header) + drawing(header, target)) / header.tiles.length,
      pause,
    ),
};

/** H.273's matrices that need more than weights, such as YCgCo. */
const SPECIAL_MATRICES = [8, 11, 12, 13, 14, 15];

/** Returns a picture of 8 bits if the file says which colour it has. Only tiles in 4:2:0 can be decoded in turn. */
function findPlain({ tiles, tileSize, ...picture }: HeifPicture, config: Av1Config): PlainPicture | undefined {
  const colour = picture.colour ?? readSequenceColour(tiles[0]?.data ?? []);
  const sampling = samplingOf(config);
  const isAlike = (other: Av1Config) => other.depth === 8 && samplingOf(other) === sampling;
  if (!colour || !tiles.every((tile) => isAlike(readAv1Config(tile.config)))) return undefined;
  if (tiles.length > 1 && sampling !== '4:2:0') return undefined;
  const isSpecial = SPECIAL_MATRICES.includes(colour.matrix) || (colour.matrix === IDENTITY && sampling !== '4:4:4');
  return isSpecial ? undefined : { size: tileSize, sampling, colour };
}

function samplingOf({ grey, halfWidth, halfHeight }: Av1Config): Sampling {
  if (grey) return '4:0:0';
  if (!halfWidth) return '4:4:4';
  return halfHeight ? '4:2:0' : '4:2:2';
}

/** Samples for each pixel. */
const SAMPLES: Readonly<Record<Sampling, number>> = { '4:0:0': 1, '4:2:0': 1.5, '4:2:2': 2, '4:4:4': 3 };

function createDecoder(header: AvifHeader): TileDecoder {
  const { plain, tileSize, colour } = header;
  const bytes = decoderBytes(header);
  return plain ? new Dav1d(plain, bytes) : new Libavif(tileSize, colour, bytes);
}

/** How much longer pictures of more than 8 bits take. */
const DEEP = 1.2;

/** Nanoseconds on the benchmark machine, fitted to noisy pictures. */
const COST = {
  start: 8_000_000,
  tile: 500_000,
  dav1d: { byte: 100, sample: 24 },
  libavif: { byte: 200, pixel: 150 },
} as const;

/** Estimated nanoseconds for decoding and converting all tiles. */
function tileNanoseconds(header: AvifHeader): number {
  const { width, height, ratio, bytes, frames, tiles, plain, config } = header;
  const pixels = (width * height * ratio * frames) / tiles.length;
  const byte = plain ? COST.dav1d.byte : COST.libavif.byte;
  const pixel = plain
    ? COST.dav1d.sample * SAMPLES[plain.sampling] + YUV_PIXEL_COST
    : COST.libavif.pixel * (config.depth > 8 ? DEEP : 1);
  return COST.start + bytes * byte + pixels * pixel + tiles.length * COST.tile;
}

function drawing({ columns, ...size }: AvifHeader, target: ReductionTarget): number {
  return drawingNanoseconds(size, columns, target);
}

/** libaom adds a margin to each side and rounds up. */
const MARGIN = 160;

/** Pixels along each side of libaom's largest block. */
const BLOCK = 128;

/**
 * dav1d: the picture, its blocks and the coded tile. libavif: the picture, a copy without margins, many more blocks, and
 * the coded tile twice. Fitted to flat, smooth and noisy pictures.
 */
function decoderBytes(header: AvifHeader): number {
  const { width, height, ratio, tiles, tileBytes, plain, config } = header;
  const pixels = (width * height * ratio) / tiles.length;
  const samples = SAMPLES[samplingOf(config)];
  if (plain) return Math.max(DAV1D_BYTES, Math.ceil(pixels * (samples + 0.7) + tileBytes + 2_500_000));
  const scale = Math.sqrt(pixels / (width * height));
  const cover = (unit: number, margin = 0) => {
    const [across, down] = [width, height].map((side) => Math.ceil((side * scale) / unit) * unit + margin);
    return (across ?? 0) * (down ?? 0);
  };
  const picture = samples * (config.depth > 8 ? 2 : 1);
  const bytes = 12 * cover(BLOCK) + picture * (cover(1, MARGIN) + pixels) + 2 * tileBytes;
  return Math.max(LIBAVIF_BYTES, Math.ceil(bytes + 6_700_000));
}
