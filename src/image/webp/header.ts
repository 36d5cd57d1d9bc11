import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Frame, Header, Size } from '../codec.ts';
import { readOrientation } from '../exif.ts';
import { prefixCodeBytes } from './lossless.ts';

/** Contents of a WebP file's chunks (RFC 9649). */
export interface WebpHeader extends Header {
  /** Area of the picture, or of an animation's first frame, on the canvas. */
  readonly frame: Frame;
  readonly lossless: boolean;
  /** Memory that libwebp needs for the prefix codes of a lossless picture; 0 for a lossy one. */
  readonly prefixCodeBytes: number;
  /** The whole `VP8 ` or `VP8L` chunk. Alpha is in a separate chunk, which is not used. */
  readonly picture: Uint8Array;
}

type Picture = Pick<WebpHeader, 'frame' | 'lossless' | 'prefixCodeBytes' | 'picture'>;

interface Chunk {
  readonly name: string;
  readonly payload: ByteReader;
  readonly whole: Uint8Array;
}

/** Larger lossless pictures, of 8 bytes a pixel, never fit into an isolate. */
const MAX_LOSSLESS_PIXELS = 16_000_000;

/** Bounds the walk; no animation has as many chunks. */
const MAX_CHUNKS = 50_000;

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;
const FRAME_HEADER = 16;

export function readWebpHeader(bytes: Uint8Array): WebpHeader {
  const file = new ByteReader(bytes, true);
  const end = file.u32(4) + CHUNK_HEADER;
  let canvas: Canvas | undefined;
  let exif: Uint8Array | undefined;
  let xmp: Uint8Array | undefined;
  let picture: Picture | undefined;
  for (const chunk of readChunks(new ByteReader(file.slice(RIFF_HEADER, end - RIFF_HEADER), true), 0)) {
    if (chunk.name === 'VP8X') canvas = readCanvas(chunk.payload);
    else if (chunk.name === 'EXIF' && canvas?.hasExif) exif ??= chunk.payload.bytes;
    else if (chunk.name === 'XMP ' && canvas?.hasXmp) xmp ??= chunk.payload.bytes;
    else if (picture) continue;
    else if (chunk.name === 'ANMF') picture = readFrame(chunk.payload);
    else if (isPicture(chunk)) picture = readPicture(chunk);
  }
  if (!picture) throw new MalformedImage('The WebP contains no picture.');
  const { width, height } = canvas ?? picture.frame;
  return { width, height, orientation: readOrientation({ exif, xmp }), ...picture };
}

/** Yields chunks, which start at even positions. The last one may lack its padding byte. */
function* readChunks(reader: ByteReader, from: number): Generator<Chunk> {
  let count = 0;
  for (let at = from; at < reader.length; ) {
    if (++count > MAX_CHUNKS) throw new MalformedImage('The WebP has too many chunks.');
    const length = reader.u32(at + 4);
    const whole = reader.slice(at, CHUNK_HEADER + length);
    yield { name: reader.ascii(at, 4), payload: new ByteReader(whole.subarray(CHUNK_HEADER), true), whole };
    at += CHUNK_HEADER + length + (length & 1);
  }
}

/** The extended header. As in libwebp, metadata that it does not announce is ignored. */
interface Canvas extends Size {
  readonly hasExif: boolean;
  readonly hasXmp: boolean;
}

function readCanvas(payload: ByteReader): Canvas {
  const flags = payload.u8(0);
  const size = { width: payload.u24(4) + 1, height: payload.u24(7) + 1 };
  return { ...size, hasExif: (flags & 0x08) !== 0, hasXmp: (flags & 0x04) !== 0 };
}

function readFrame(payload: ByteReader): Picture {
  const frame = {
    x: payload.u24(0) * 2,
    y: payload.u24(3) * 2,
    width: payload.u24(6) + 1,
    height: payload.u24(9) + 1,
  };
  for (const chunk of readChunks(payload, FRAME_HEADER)) {
    if (!isPicture(chunk)) continue;
    const picture = readPicture(chunk);
    if (picture.frame.width !== frame.width || picture.frame.height !== frame.height) break;
    return { ...picture, frame };
  }
  throw new MalformedImage("The WebP's first frame is damaged.");
}

function isPicture({ name }: Chunk): boolean {
  return name === 'VP8 ' || name === 'VP8L';
}

function readPicture(chunk: Chunk): Picture {
  const lossless = chunk.name === 'VP8L';
  const size = readCodedSize(chunk);
  // Counting the codes of a picture that is refused for its size would waste time.
  const small = size.width * size.height <= MAX_LOSSLESS_PIXELS;
  const codes = lossless && small ? prefixCodeBytes(chunk.payload.bytes, size) : 0;
  return { frame: { x: 0, y: 0, ...size }, lossless, prefixCodeBytes: codes, picture: chunk.whole };
}

/** Reads the size from the bitstream (RFC 6386, section 9.1; RFC 9649, section 3.4). */
function readCodedSize({ name, payload }: Chunk): Size {
  if (name === 'VP8L') {
    const bits = payload.u32(1);
    if (payload.u8(0) !== 0x2f) throw new MalformedImage('The WebP is damaged.');
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  const [width, height] = [payload.u16(6) & 0x3fff, payload.u16(8) & 0x3fff];
  if (payload.u24(3) !== 0x2a019d || width === 0 || height === 0) {
    throw new MalformedImage('The WebP is damaged.');
  }
  return { width, height };
}
