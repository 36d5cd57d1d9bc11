import { crc32 } from 'node:zlib';
import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Header, Orientation } from '../codec.ts';
import { readOrientation } from '../exif.ts';

/** Contents of a PNG's chunks (W3C PNG, third edition). */
export interface PngHeader extends Header {
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly colour: PngColour;
  readonly interlaced: boolean;
  /** RGB triples; used by the colour type `palette` only. */
  readonly palette: Uint8Array;
  /** Number of chunks of all kinds. */
  readonly chunks: number;
  /** Start and end of the run of IDAT chunks. */
  readonly data: { readonly from: number; readonly to: number };
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
/** Length and name before the payload, and CRC after it. */
const CHUNK_OVERHEAD = 12;
const MAX_SIZE = 0x7fffffff;
const NONE = new Uint8Array(0);

const NAMES = {
  IHDR: chunkName('IHDR'),
  PLTE: chunkName('PLTE'),
  eXIf: chunkName('eXIf'),
  IDAT: chunkName('IDAT'),
  IEND: chunkName('IEND'),
};

type ImageHeader = Pick<PngHeader, 'width' | 'height' | 'depth' | 'colour' | 'interlaced'>;

/** Reads all chunks up to IEND and checks every CRC. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const reader = new ByteReader(bytes);
  let image: ImageHeader | undefined;
  let orientation: Orientation = 1;
  let palette: Uint8Array = NONE;
  let data: PngHeader['data'] | undefined;
  let chunks = 0;
  for (let at = SIGNATURE; ; chunks++) {
    const length = reader.u32(at);
    const name = reader.u32(at + 4);
    const payload = at + 8;
    const end = at + CHUNK_OVERHEAD + length;
    if (reader.u32(end - 4) !== crc32(reader.slice(at + 4, length + 4)))
      throw new MalformedImage('The PNG is damaged: a checksum is wrong.');
    if (!image && name !== NAMES.IHDR) throw new MalformedImage('The PNG has no header.');
    if (name === NAMES.IEND) break;
    if (name === NAMES.IHDR) image = readImageHeader(new ByteReader(reader.slice(payload, length)));
    else if (name === NAMES.PLTE) palette = reader.slice(payload, length);
    else if (name === NAMES.eXIf) orientation = readOrientation(reader.slice(payload, length));
    else if (name === NAMES.IDAT) data = extend(data, at, end);
    at = end;
  }
  if (!image || !data) throw new MalformedImage('The PNG contains no picture.');
  if (image.colour === 'palette' && palette.length < 3) throw new MalformedImage('The PNG has no palette.');
  return { ...image, orientation, palette, chunks, data };
}

/** A chunk's name as an integer, which is faster to compare in a file of a million chunks. */
function chunkName(text: string): number {
  return new ByteReader(new TextEncoder().encode(text)).u32(0);
}

function extend(data: PngHeader['data'] | undefined, from: number, to: number): PngHeader['data'] {
  if (data && data.to !== from) throw new MalformedImage("The PNG's data chunks are not consecutive.");
  return { from: data?.from ?? from, to };
}

/** Yields views of the IDAT chunks' payloads, in order. */
export function* imageData(bytes: Uint8Array, { from, to }: PngHeader['data']): Generator<Uint8Array> {
  const reader = new ByteReader(bytes);
  for (let at = from; at < to; ) {
    const length = reader.u32(at);
    yield reader.slice(at + 8, length);
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
