import { crc32 } from 'node:zlib';
import { MalformedImage, UnsupportedMediaType } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Header } from '../codec.ts';
import { readOrientation } from '../exif.ts';
import { Texts } from './texts.ts';

/** Contents of a PNG's chunks (W3C PNG, third edition). */
export interface PngHeader extends Header {
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly colour: PngColour;
  readonly interlaced: boolean;
  /** RGB triples; used by the colour type `palette` only. */
  readonly palette: Uint8Array;
  /** Number of chunks of all kinds. */
  readonly chunks: number;
  /** Upper bound of the nanoseconds that reading the text chunks takes. */
  readonly textNanoseconds: number;
  readonly data: PngData;
}

/** The run of IDAT chunks. */
export interface PngData {
  readonly from: number;
  /** Past the end of the file if the last chunk is cut off. */
  readonly to: number;
  /** Whether the chunks are complete and their CRCs right. */
  readonly isIntact: boolean;
}

export type PngColour = 'grey' | 'rgb' | 'palette' | 'grey-alpha' | 'rgb-alpha';

/** Names and valid depths of the colour types (table 11.1). */
const COLOURS: Partial<Record<number, readonly [PngColour, readonly number[]]>> = {
  0: ['grey', [1, 2, 4, 8, 16]],
  2: ['rgb', [8, 16]],
  3: ['palette', [1, 2, 4, 8]],
  4: ['grey-alpha', [8, 16]],
  6: ['rgb-alpha', [8, 16]],
};

const SIGNATURE = 8;
/** Length and name before the payload. */
const CHUNK_HEADER = 8;
/** Length and name before the payload, and CRC after it. */
const CHUNK_OVERHEAD = 12;
const MAX_SIZE = 0x7fffffff;
const NONE = new Uint8Array(0);

const NAMES = {
  CgBI: chunkName('CgBI'),
  IHDR: chunkName('IHDR'),
  PLTE: chunkName('PLTE'),
  eXIf: chunkName('eXIf'),
  IDAT: chunkName('IDAT'),
  IEND: chunkName('IEND'),
};

const TEXT_TYPES = new Map((['tEXt', 'zTXt', 'iTXt'] as const).map((type) => [chunkName(type), type]));

const CGBI_MESSAGE =
  "This PNG is in Apple's CgBI variant, which Xcode writes into apps and which is not supported. Saved as a standard PNG, it would be accepted.";

type ImageHeader = Pick<PngHeader, 'width' | 'height' | 'depth' | 'colour' | 'interlaced'>;

/**
 * Reads all chunks up to IEND. As in libpng, an ancillary chunk with a wrong CRC is skipped. After the image data the
 * file may break off or contain anything.
 *
 * @throws {MalformedImage} the file is damaged or truncated before or in its image data
 * @throws {UnsupportedMediaType} the file is in Apple's variant of the format
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const reader = new ByteReader(bytes);
  const texts = new Texts();
  let image: ImageHeader | undefined;
  let exif: Uint8Array | undefined;
  let palette: Uint8Array = NONE;
  let data: PngData | undefined;
  let chunks = 0;
  for (let at = SIGNATURE; !data || at + CHUNK_HEADER <= bytes.length; chunks++) {
    const length = reader.u32(at);
    const name = reader.u32(at + 4);
    const end = at + CHUNK_OVERHEAD + length;
    if (name === NAMES.CgBI) throw new UnsupportedMediaType(CGBI_MESSAGE);
    if (!image && name !== NAMES.IHDR) throw new MalformedImage('The PNG has no header.');
    if (name === NAMES.IEND) break;
    const isWhole = end <= bytes.length;
    const isIntact = isWhole && reader.u32(end - 4) === crc32(reader.slice(at + 4, length + 4));
    if (name === NAMES.IDAT) {
      data = extend(data, at, end, isIntact);
    } else if (isIntact) {
      const payload = reader.slice(at + CHUNK_HEADER, length);
      const text = TEXT_TYPES.get(name);
      if (name === NAMES.IHDR) image = readImageHeader(new ByteReader(payload));
      else if (name === NAMES.PLTE) palette = payload;
      else if (name === NAMES.eXIf) exif = payload;
      else if (text) texts.add(text, payload);
    } else if (!data && !isWhole) {
      throw new MalformedImage('The PNG is truncated.');
    } else if (!data && isCritical(name)) {
      throw new MalformedImage('The PNG is damaged: a checksum is wrong.');
    }
    at = end;
  }
  if (!image || !data) throw new MalformedImage('The PNG contains no picture.');
  if (image.colour === 'palette' && palette.length < 3) throw new MalformedImage('The PNG has no palette.');
  const metadata = texts.read();
  const orientation = readOrientation({ exif: exif ?? metadata.exif, xmp: metadata.xmp });
  return { ...image, orientation, palette, chunks, textNanoseconds: texts.nanoseconds, data };
}

/** A chunk's name as an integer, which is faster to compare in a file of a million chunks. */
function chunkName(text: string): number {
  return new ByteReader(new TextEncoder().encode(text)).u32(0);
}

/** Bit 5 of the first letter makes a chunk ancillary (W3C PNG, 5.4). */
function isCritical(name: number): boolean {
  return (name & 0x20000000) === 0;
}

/** Only the first run of IDAT chunks counts, as in libpng. */
function extend(data: PngData | undefined, from: number, to: number, isIntact: boolean): PngData {
  if (!data) return { from, to, isIntact };
  return data.to === from ? { from: data.from, to, isIntact: data.isIntact && isIntact } : data;
}

/** Yields views of the IDAT chunks' payloads, in order. The last one may be cut off. */
export function* imageData(bytes: Uint8Array, { from, to }: PngData): Generator<Uint8Array> {
  const reader = new ByteReader(bytes);
  for (let at = from; at < to; ) {
    const length = reader.u32(at);
    yield bytes.subarray(at + CHUNK_HEADER, at + CHUNK_HEADER + length);
    at += CHUNK_OVERHEAD + length;
  }
}

function readImageHeader(payload: ByteReader): ImageHeader {
  const [width, height] = [payload.u32(0), payload.u32(4)];
  if (width === 0 || height === 0 || width > MAX_SIZE || height > MAX_SIZE) {
    throw new MalformedImage('The PNG has no pixels.');
  }
  const depth = payload.u8(8);
  const [colour, depths] = COLOURS[payload.u8(9)] ?? [];
  const interlace = payload.u8(12);
  if (!colour || !depths?.includes(depth) || payload.u8(10) !== 0 || payload.u8(11) !== 0 || interlace > 1) {
    throw new MalformedImage('The PNG has an invalid header.');
  }
  return { width, height, depth: depth as PngHeader['depth'], colour, interlaced: interlace === 1 };
}
