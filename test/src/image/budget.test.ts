import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { ImageTooLarge } from '../../../src/errors.ts';
import { avif } from '../../../src/image/avif/codec.ts';
import { Dav1d } from '../../../src/image/avif/dav1d.ts';
import { Libavif } from '../../../src/image/avif/libavif.ts';
import { peakBytes } from '../../../src/image/budget.ts';
import type { Codec, Header, Size } from '../../../src/image/codec.ts';
import { heic } from '../../../src/image/heic/codec.ts';
import { Libde265 } from '../../../src/image/heic/libde265.ts';
import { decodeHeif, type TileDecoder } from '../../../src/image/heif/decode.ts';
import type { Tile } from '../../../src/image/heif/picture.ts';
import { jpeg } from '../../../src/image/jpeg/codec.ts';
import { decodeJpeg, jpegDecoder } from '../../../src/image/jpeg/decode.ts';
import type { JpegHeader } from '../../../src/image/jpeg/header.ts';
import { checkLimits } from '../../../src/image/limits.ts';
import { png } from '../../../src/image/png/codec.ts';
import { PreparedPhoto } from '../../../src/image/prepared-photo.ts';
import type { Target } from '../../../src/image/target.ts';
import { webp } from '../../../src/image/webp/codec.ts';
import { decodeWebp, webpDecoder } from '../../../src/image/webp/decode.ts';
import { codedPicture, writeHeif } from '../../pictures/heif.ts';
import { losslessBomb } from '../../pictures/lossless-bomb.ts';
import { resizedJpeg } from '../../pictures/resized-jpeg.ts';
import heif from '../pictures/heif.json' with { type: 'json' };
import { fromBase64, picture, SPEC, toPhoto, toTensor } from '../pictures/pictures.ts';

const TARGET = { width: 128, height: 128, resampling: 'bicubic' } as const;

/** Memory left for decoding while a body of 20 MB is in memory. */
const LEFT = 45_000_000;

const LIMITS = { bytes: LEFT, milliseconds: parseConfig({}).MAX_DECODE_MS };

/** Returns a function that checks a photo with this header against the limits. */
function checking<H extends Header>(codec: Codec<H>, header: H): (target?: Target) => void {
  return (target = TARGET) => checkLimits(codec, header, target, LIMITS);
}

/** Does the same for a test picture whose header claims this size. */
function enlarged(name: string, size: Size, fileBytes: number): (target?: Target) => void {
  const { bytes } = picture(name);
  const { codec } = toPhoto(bytes);
  const frame = { x: 0, y: 0, ...size };
  switch (codec) {
    case jpeg:
      return checking(jpeg, { ...enlargedJpeg(jpeg.readHeader(bytes), fileBytes), ...size });
    case webp:
      return checking(webp, {
        ...webp.readHeader(bytes),
        ...size,
        frame,
        picture: new Uint8Array(fileBytes),
      });
    default: {
      const header = codec.readHeader(bytes);
      return checking(codec, { ...header, ...size, ...(header.frame && { frame }) });
    }
  }
}

/** Does the same for a grid of tiles as phones write them, of 512 x 512 pixels each. */
function tiled(name: string, columns: number, rows: number, tileBytes: number): () => void {
  const data = new Uint8Array(tileBytes);
  // The tile's data is one unit of that length: nothing of it is decoded.
  data.set(name === 'heic 4:2:0' ? [] : [0x32, ...leb128(tileBytes - 5)]);
  const tile = { ...codedPicture(picture(name).bytes), data, size: [512, 512] as const };
  const grid = { width: columns * 512, height: rows * 512, columns };
  const bytes = writeHeif(new Array(columns * rows).fill(tile), { grid });
  const { codec } = toPhoto(bytes);
  return checking(codec, codec.readHeader(bytes));
}

const leb128 = (value: number) => [0, 1, 2, 3].map((i) => ((value >> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0));

function enlargedJpeg(header: JpegHeader, fileBytes: number): JpegHeader {
  const grow = (at: number) => Math.floor((at * fileBytes) / header.end);
  const scans = header.scans.map((scan) => ({ ...scan, from: grow(scan.from), to: grow(scan.to) }));
  return { ...header, scans, end: fileBytes };
}

describe('a photo is accepted with 45 MB left', () => {
  test.each([
    ['baseline JPEG of 50 megapixels', enlarged('jpeg 4:2:0', { width: 8660, height: 5773 }, 20e6)],
    ['baseline 4:4:4 JPEG of 50 megapixels', enlarged('jpeg 4:4:4', { width: 5773, height: 8660 }, 20e6)],
    ['progressive JPEG of 12 megapixels', enlarged('jpeg progressive', { width: 4032, height: 3024 }, 4e6)],
    ['WebP of 8 megapixels', enlarged('webp lossy', { width: 3266, height: 2449 }, 4e6)],
    ['PNG of 2880x1800', enlarged('png rgb-alpha 8', { width: 2880, height: 1800 }, 20e6)],
    ['PNG of 3840x2160', enlarged('png rgb-alpha 16', { width: 3840, height: 2160 }, 20e6)],
    ['interlaced PNG of 8K', enlarged('png rgb 8 interlaced', { width: 7680, height: 4320 }, 20e6)],
    ['GIF of 8 megapixels', enlarged('gif', { width: 3266, height: 2449 }, 4e6)],
    ['AVIF of 12 megapixels', enlarged('avif 4:2:0', { width: 4032, height: 3024 }, 2e6)],
    ['AVIF in 4:2:2 of 6 megapixels', enlarged('avif 4:2:2', { width: 3000, height: 2000 }, 1e6)],
    ['AVIF in 4:4:4 of 6 megapixels', enlarged('avif 4:4:4', { width: 3000, height: 2000 }, 1e6)],
    ['AVIF in grey of 6 megapixels', enlarged('avif grey', { width: 3000, height: 2000 }, 1e6)],
    ['HEIC of 12 megapixels in tiles', tiled('heic 4:2:0', 8, 6, 40_000)],
    ['AVIF of 16 megapixels in tiles', tiled('avif 4:2:0', 10, 6, 30_000)],
  ])('%s', (_, check) => check());
});

describe.each([28, 128, 224])('a photo that is fitted to %i pixels is accepted with 45 MB left', (side) => {
  test.each([
    ['baseline JPEG of 12 megapixels', enlarged('jpeg 4:2:0', { width: 4032, height: 3024 }, 4e6)],
    ['baseline JPEG of 50 megapixels', enlarged('jpeg 4:2:0', { width: 8660, height: 5773 }, 10e6)],
    ['progressive JPEG of 10 megapixels', enlarged('jpeg progressive', { width: 3684, height: 2763 }, 2e6)],
    ['WebP of 6 megapixels', enlarged('webp lossy', { width: 2828, height: 2121 }, 1e6)],
    ['PNG of 3840x2160', enlarged('png rgb-alpha 8', { width: 3840, height: 2160 }, 20e6)],
    ['interlaced PNG of 8K', enlarged('png rgb 8 interlaced', { width: 7680, height: 4320 }, 20e6)],
    ['AVIF of 12 megapixels', enlarged('avif 4:2:0', { width: 4032, height: 3024 }, 2e6)],
    ['HEIC of 12 megapixels in tiles', tiled('heic 4:2:0', 8, 6, 40_000)],
    ['AVIF of 16 megapixels in tiles', tiled('avif 4:2:0', 10, 6, 30_000)],
  ])('%s', (_, check) => check({ width: side, height: side, resize: 'fit', resampling: 'lanczos' }));
});

describe('the error for a photo that is too large says what would fit', () => {
  test.each([
    [
      'progressive JPEG of 24 megapixels',
      enlarged('jpeg progressive', { width: 6000, height: 4000 }, 8e6),
      /^This progressive JPEG has 24\.0 megapixels; up to 1\d\.\d would fit\. Saved as a baseline JPEG, this photo would fit\.$/,
    ],
    [
      'PNG of 65535x65535',
      enlarged('png rgb 8', { width: 65_535, height: 65_535 }, 20_000),
      /^This PNG has 4294\.8 megapixels; up to \d+\.\d would fit\.$/,
    ],
    [
      'WebP of 16383x16383',
      enlarged('webp lossy', { width: 16_383, height: 16_383 }, 20_000),
      /^This WebP has 268\.4 megapixels; up to \d+\.\d would fit\.$/,
    ],
    [
      'GIF of 65535x65535',
      enlarged('gif', { width: 65_535, height: 65_535 }, 20_000),
      /^This GIF has 4294\.8 megapixels; up to \d+\.\d would fit\.$/,
    ],
    [
      'AVIF of 48 megapixels',
      enlarged('avif 4:2:0', { width: 8064, height: 6048 }, 2e6),
      /^This AVIF has 48\.7 megapixels; up to 1\d\.\d would fit\. Saved as a JPEG, this photo would fit\.$/,
    ],
    [
      'HEIC of 48 megapixels',
      enlarged('heic 4:2:0', { width: 8064, height: 6048 }, 2e6),
      /^This HEIC has 48\.7 megapixels; up to \d+\.\d would fit\. Saved as a JPEG, this photo would fit\.$/,
    ],
    [
      'AVIF of 12 bits',
      enlarged('avif 12 bits', { width: 4032, height: 3024 }, 2e6),
      /^This AVIF of 12 bits has 12\.1 megapixels; up to \d\.\d would fit\. Saved as a JPEG, this photo would fit\.$/,
    ],
  ])('%s', (_, check, detail) => {
    expect(check).toThrow(ImageTooLarge);
    expect(check).toThrow(detail);
  });

  test('a JPEG with many scans of many pixels takes too long', () => {
    const header = enlargedJpeg(jpeg.readHeader(picture('jpeg progressive').bytes), 2e6);
    const scans = header.scans.slice(0, 1);
    const repeated = Array.from({ length: 400 }, () => scans).flat();
    const size = { width: 3000, height: 2000 };
    expect(checking(jpeg, { ...header, ...size, scans: repeated })).toThrow(ImageTooLarge);
    expect(checking(jpeg, { ...header, ...size, scans })).not.toThrow();
  });

  test('without free memory every photo is refused', async () => {
    for (const name of ['jpeg 4:2:0', 'png rgb 8', 'webp lossy', 'gif', 'avif 4:2:0', 'avif 10 bits', 'heic 4:2:0']) {
      const refused = toTensor(picture(name).bytes, SPEC, 0);
      await expect(refused).rejects.toThrow('needs more memory than is free');
    }
  });
});

test('a lossless WebP of 300 KB that needs over a gigabyte is refused', () => {
  const bomb = losslessBomb(1024);
  expect(bomb.length).toBeLessThan(320_000);
  const prepared = new PreparedPhoto(toPhoto(bomb), { ...SPEC, ...TARGET });
  expect(prepared.peakBytes).toBeGreaterThan(800_000_000);
  expect(() => prepared.makeRoom(LIMITS)).toThrow(ImageTooLarge);
});

describe('the estimate is at least what the decoder takes, and not far above it', () => {
  const sizes = [
    [100, 80],
    [640, 480],
    [1600, 1200],
    [3000, 200],
    [90, 4000],
    [2600, 2300],
  ] as const;

  function compare(estimate: number, real: number): void {
    expect(estimate).toBeGreaterThanOrEqual(real);
    expect(estimate).toBeLessThanOrEqual(1.5 * real + 500_000);
  }

  const jpegs = ['jpeg 4:2:0', 'jpeg 4:4:4', 'jpeg grey', 'jpeg cmyk', 'jpeg progressive', 'jpeg grey progressive'];
  test.each(jpegs)('%s', (name) => {
    for (const [width, height] of sizes) {
      const bytes = resizedJpeg(picture(name).bytes, { width, height });
      const header = jpeg.readHeader(bytes);
      for (const side of [32, 128, 224, 448]) {
        const target = { width: side, height: side };
        jpegDecoder.drop();
        decodeJpeg(bytes, header, target);
        compare(jpeg.decoderBytes(header, target), jpegDecoder.lastBytes);
      }
    }
  });

  test.each([16, 64, 100, 200])('lossless WebP with prefix codes for every tile, %i pixels wide', (side) => {
    const bytes = losslessBomb(side);
    const header = webp.readHeader(bytes);
    webpDecoder.drop();
    decodeWebp(header, TARGET);
    compare(webp.decoderBytes(header, TARGET), webpDecoder.lastBytes);
  });

  test.each(['webp lossy', 'webp lossless', 'webp reduced', 'webp animated'])('%s', (name) => {
    const header = webp.readHeader(picture(name).bytes);
    webpDecoder.drop();
    decodeWebp(header, TARGET);
    compare(webp.decoderBytes(header, TARGET), webpDecoder.lastBytes);
  });

  function createDecoder(bytes: Uint8Array): { estimate: number; decoder: TileDecoder; tile: Tile | undefined } {
    if (avif.matches(bytes)) {
      const header = avif.readHeader(bytes);
      const estimate = avif.decoderBytes(header, TARGET);
      const { plain, tileSize, colour, tiles } = header;
      const decoder = plain ? new Dav1d(plain, estimate) : new Libavif(tileSize, colour, estimate);
      return { estimate, decoder, tile: tiles[0] };
    }
    const header = heic.readHeader(bytes);
    const estimate = heic.decoderBytes(header, TARGET);
    const decoder = new Libde265(header.config.depth, header.colour, estimate);
    return { estimate, decoder, tile: header.tiles[0] };
  }

  // Their memory cannot grow beyond the estimate, so it is too low if they fail.
  test.each(heif.flat)('$name', ({ files }) => {
    for (const file of files) {
      const { estimate, decoder, tile } = createDecoder(fromBase64(file));
      let drawn = 0;
      if (tile) decoder.decode(tile, () => drawn++);
      expect(drawn).toBe(1);
      compare(estimate, decoder.bytes);
    }
  });

  test('libavif, on pictures that dav1d could decode too', () => {
    for (const file of heif.flat.filter(({ name }) => name.startsWith('avif')).flatMap(({ files }) => files)) {
      const header = { ...avif.readHeader(fromBase64(file)), plain: undefined };
      const { tileSize, colour, tiles } = header;
      const estimate = avif.decoderBytes(header, TARGET);
      const decoder = new Libavif(tileSize, colour, estimate);
      for (const tile of tiles) decoder.decode(tile, () => {});
      compare(estimate, decoder.bytes);
    }
  });

  test('a decoder that needs more all the same is no sign of damage', async () => {
    const [largest = ''] = heif.flat.find(({ name }) => name === 'avif 4:4:4')?.files.slice(-1) ?? [];
    const header = avif.readHeader(fromBase64(largest));
    const createDecoder = () => new Libavif(header.tileSize, header.colour, 0);
    await expect(decodeHeif(header, TARGET, createDecoder, 0, async () => {})).rejects.toThrow(ImageTooLarge);
  });

  test('the peak includes reduction and resizing', () => {
    const header = png.readHeader(picture('png reduced').bytes);
    expect(peakBytes(png, header, SPEC)).toBeGreaterThan(png.decoderBytes(header, SPEC));
  });
});
