import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Frame, Header, Orientation, Size } from '../codec.ts';
import { readOrientation } from '../exif.ts';
import { prefixCodeBytes } from './lossless.ts';

/** What the chunks of a WebP file say (RFC 9649). */
export interface WebpHeader extends Header {
  /** Where the picture, or the first frame of an animation, lies on the canvas. */
  readonly frame: Frame;
  readonly lossless: boolean;
  /** What libwebp takes for a lossless picture's prefix codes; 0 for a lossy one. */
  readonly prefixCodeBytes: number;
  /** The coded picture: the whole `VP8 ` or `VP8L` chunk. Alpha comes in a chunk of its own, which nobody needs. */
  readonly picture: Uint8Array;
}

type Picture = Pick<WebpHeader, 'frame' | 'lossless' | 'prefixCodeBytes' | 'picture'>;

interface Chunk {
  readonly name: string;
  readonly payload: ByteReader;
  readonly whole: Uint8Array;
}

/** Pixels beyond which decoding would take longer than about two seconds. */
export const MAX_PIXELS = 16_000_000;

/** More than any animation has; bounds the walk. */
const MAX_CHUNKS = 50_000;

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;
const FRAME_HEADER = 16;

export function readWebpHeader(bytes: Uint8Array): WebpHeader {
  const file = new ByteReader(bytes);
  const end = file.u32(4, true) + CHUNK_HEADER;
  let canvas: Size | undefined;
  let orientation: Orientation = 1;
  let picture: Picture | undefined;
  for (const chunk of chunks(new ByteReader(file.slice(RIFF_HEADER, end - RIFF_HEADER)), 0)) {
    if (chunk.name === 'VP8X') canvas = readCanvas(chunk.payload);
    else if (chunk.name === 'EXIF') orientation = readOrientation(chunk.payload.bytes);
    else if (picture) continue;
    else if (chunk.name === 'ANMF') picture = readFrame(chunk.payload);
    else if (isPicture(chunk)) picture = { ...toPicture(chunk), frame: { x: 0, y: 0, ...codedSize(chunk) } };
  }
  if (!picture) throw new MalformedImage('The WebP holds no picture.');
  const { width, height } = canvas ?? picture.frame;
  return { width, height, orientation, ...picture };
}

/** Chunks begin at even places; a last one that lacks its padding byte is let pass. */
function* chunks(reader: ByteReader, from: number): Generator<Chunk> {
  let count = 0;
  for (let at = from; at < reader.length; ) {
    if (++count > MAX_CHUNKS) throw new MalformedImage('The WebP has too many chunks.');
    const length = reader.u32(at + 4, true);
    const whole = reader.slice(at, CHUNK_HEADER + length);
    yield { name: reader.ascii(at, 4), payload: new ByteReader(whole.subarray(CHUNK_HEADER)), whole };
    at += CHUNK_HEADER + length + (length & 1);
  }
}

function readCanvas(payload: ByteReader): Size {
  return { width: payload.u24(4, true) + 1, height: payload.u24(7, true) + 1 };
}

function readFrame(payload: ByteReader): Picture {
  const frame = {
    x: payload.u24(0, true) * 2,
    y: payload.u24(3, true) * 2,
    width: payload.u24(6, true) + 1,
    height: payload.u24(9, true) + 1,
  };
  for (const chunk of chunks(payload, FRAME_HEADER)) {
    if (!isPicture(chunk)) continue;
    const { width, height } = codedSize(chunk);
    if (width !== frame.width || height !== frame.height) break;
    return { ...toPicture(chunk), frame };
  }
  throw new MalformedImage("The WebP's first frame is damaged.");
}

function isPicture({ name }: Chunk): boolean {
  return name === 'VP8 ' || name === 'VP8L';
}

function toPicture(chunk: Chunk): Pick<WebpHeader, 'lossless' | 'prefixCodeBytes' | 'picture'> {
  const lossless = chunk.name === 'VP8L';
  const size = codedSize(chunk);
  // Larger ones are refused for their size, so nobody needs to know, and finding out would take its time.
  const small = size.width * size.height <= MAX_PIXELS;
  const codes = lossless && small ? prefixCodeBytes(chunk.payload.bytes, size) : 0;
  return { lossless, prefixCodeBytes: codes, picture: chunk.whole };
}

/** The size in the bitstream itself (RFC 6386, section 9.1; RFC 9649, section 3.4). */
function codedSize({ name, payload }: Chunk): Size {
  if (name === 'VP8L') {
    const bits = payload.u32(1, true);
    if (payload.u8(0) !== 0x2f) throw new MalformedImage('The WebP is damaged.');
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  const [width, height] = [payload.u16(6, true) & 0x3fff, payload.u16(8, true) & 0x3fff];
  if (payload.u24(3) !== 0x9d012a || width === 0 || height === 0) {
    throw new MalformedImage('The WebP is damaged.');
  }
  return { width, height };
}
