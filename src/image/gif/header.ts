import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Frame, Header } from '../codec.ts';

/** Everything before the first frame's pixels (GIF89a). */
export interface GifHeader extends Header {
  readonly frame: Frame;
  readonly interlaced: boolean;
  /** RGB triples. If empty, indices are shades of grey. */
  readonly palette: Uint8Array;
  /** Index of the colour around the frame. */
  readonly background: number;
  /** Position of the LZW data, which starts with the code size. */
  readonly data: number;
  /** Length of the LZW data's blocks in the file. */
  readonly dataBytes: number;
}

const EXTENSION = 0x21;
const IMAGE = 0x2c;
/** Some encoders write a terminator too many after a block. */
const STRAY = 0x00;
const GRAPHIC_CONTROL = 0xf9;
const HAS_PALETTE = 0x80;
const INTERLACED = 0x40;

/** Reads up to the first frame's descriptor. As in Pillow, a frame that extends beyond the canvas enlarges it. */
export function readGifHeader(bytes: Uint8Array): GifHeader {
  const reader = new ByteReader(bytes, true);
  const screen = { width: reader.u16(6), height: reader.u16(8) };
  const globalPalette = readPalette(reader, reader.u8(10), 13);
  let at = 13 + globalPalette.length;
  let background = 0;
  for (;;) {
    const block = reader.u8(at);
    if (block === IMAGE) break;
    if (block === EXTENSION) {
      if (reader.u8(at + 1) === GRAPHIC_CONTROL && reader.u8(at + 3) & 1) background = reader.u8(at + 6);
      at = skipBlocks(reader, at + 2);
    } else if (block === STRAY) {
      at++;
    } else {
      throw new MalformedImage('The GIF contains no picture.');
    }
  }
  const [x, y] = [reader.u16(at + 1), reader.u16(at + 3)];
  const [width, height] = [reader.u16(at + 5), reader.u16(at + 7)];
  if (width === 0 || height === 0) throw new MalformedImage('The GIF has no pixels.');
  const flags = reader.u8(at + 9);
  const localPalette = readPalette(reader, flags, at + 10);
  const data = at + 10 + localPalette.length;
  return {
    orientation: 1,
    width: Math.max(screen.width, x + width),
    height: Math.max(screen.height, y + height),
    frame: { x, y, width, height },
    interlaced: (flags & INTERLACED) !== 0,
    palette: localPalette.length > 0 ? localPalette : globalPalette,
    background,
    data,
    dataBytes: measureBlocks(bytes, data + 1),
  };
}

function readPalette(reader: ByteReader, flags: number, at: number): Uint8Array {
  return reader.slice(at, flags & HAS_PALETTE ? 3 << ((flags & 7) + 1) : 0);
}

/** Returns the length of a chain of sub-blocks, which may be cut off: the frame may be complete nevertheless. */
function measureBlocks(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) at += length + 1;
  return Math.min(at, bytes.length) - from;
}

/** Returns the position after a chain of sub-blocks. */
function skipBlocks(reader: ByteReader, at: number): number {
  for (let length = reader.u8(at); length > 0; length = reader.u8(at)) at += length + 1;
  return at + 1;
}
