import { MalformedImage } from '../../errors.ts';
import type { ByteReader } from '../bytes.ts';

/** A box of the ISO base media file format (ISO/IEC 14496-12, 4.2): its type and the extent of its payload. */
export interface Box {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** Bounds each walk; a photo with a thousand tiles has a few dozen boxes in most places. */
const MAX_BOXES = 10_000;

/** Yields the boxes between two positions. */
export function* readBoxes(reader: ByteReader, from: number, to: number): Generator<Box> {
  let count = 0;
  for (let at = from; at < to; ) {
    if (++count > MAX_BOXES) throw new MalformedImage('The file has too many boxes.');
    const type = reader.ascii(at + 4, 4);
    const short = reader.u32(at);
    const header = short === 1 ? 16 : 8;
    // A length of 0 means to the end, and 1 that a 64-bit length follows.
    const length = short === 1 ? readInteger(reader, at + 8, 8) : short === 0 ? to - at : short;
    if (length < header || at + length > to) throw new MalformedImage(`The file's ${type} box is damaged.`);
    yield { type, from: at + header, to: at + length };
    at += length;
  }
}

/** Reads an unsigned big-endian integer of 0, 1, 2, 4 or 8 bytes. Above 2 ** 53 it is inexact, and past any file's end. */
export function readInteger(reader: ByteReader, at: number, bytes: number): number {
  switch (bytes) {
    case 0:
      return 0;
    case 1:
      return reader.u8(at);
    case 2:
      return reader.u16(at);
    case 4:
      return reader.u32(at);
    case 8:
      return reader.u32(at) * 2 ** 32 + reader.u32(at + 4);
    default:
      throw new MalformedImage("The file's index of items is damaged.");
  }
}

/** Reads integers one after the other and stops at the end of a box. */
export class BoxCursor {
  readonly #reader: ByteReader;
  readonly #to: number;
  #at: number;

  constructor(reader: ByteReader, { from, to }: Box) {
    this.#reader = reader;
    this.#at = from;
    this.#to = to;
  }

  get done(): boolean {
    return this.#at >= this.#to;
  }

  /** Reads an unsigned integer of 0, 1, 2, 4 or 8 bytes. */
  next(bytes: number): number {
    const value = readInteger(this.#reader, this.#skip(bytes), bytes);
    return value;
  }

  ascii(length: number): string {
    return this.#reader.ascii(this.#skip(length), length);
  }

  /** Reads the version and flags of a full box. */
  version(): { readonly version: number; readonly flags: number } {
    const word = this.next(4);
    return { version: word >>> 24, flags: word & 0xffffff };
  }

  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#to) throw new MalformedImage('The file has a box that is too short.');
    return at;
  }
}
