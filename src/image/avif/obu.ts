import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import { concatenate } from '../heif/concatenate.ts';
import type { Colour } from '../heif/picture.ts';

/** Contents of `av1C` (AV1 Codec ISO Media File Format Binding, 2.3.3). */
export interface Av1Config {
  /** 8, 10 or 12 bits per sample. */
  readonly depth: number;
  readonly grey: boolean;
  /** Whether chroma has half the width, and half the height. */
  readonly halfWidth: boolean;
  readonly halfHeight: boolean;
}

export function readAv1Config(config: Uint8Array): Av1Config {
  const reader = new ByteReader(config);
  if (reader.u8(0) !== 0x81) throw new MalformedImage('The AVIF has an unknown configuration.');
  const bits = reader.u8(2);
  const [deep, deepest] = [(bits & 0x40) !== 0, (bits & 0x20) !== 0];
  return {
    depth: deep ? (deepest ? 12 : 10) : 8,
    grey: (bits & 0x10) !== 0,
    halfWidth: (bits & 0x08) !== 0,
    halfHeight: (bits & 0x04) !== 0,
  };
}

/** Bounds the open bitstream units of a picture: headers, tile groups, metadata. */
const MAX_UNITS = 5_000;

/** Type of the unit with the sequence header (AV1, 6.2.2). */
const SEQUENCE_HEADER = 1;

/** Types of units that decode a frame (AV1, 6.2.2). */
const FRAME_HEADER = 3;
const FRAME = 6;

/**
 * Counts the frames of a picture, without those that repeat a header. A still picture has one, a progressive one up to
 * four. Every frame costs as much as the whole picture, however few bytes it has.
 */
export function countFrames(data: readonly Uint8Array[]): number {
  let frames = 0;
  for (const { type } of readUnits(new ByteReader(concatenate(data)))) {
    if (type === FRAME || type === FRAME_HEADER) frames++;
  }
  return frames;
}

/** Yields the type of each unit, and where its payload starts. */
function* readUnits(reader: ByteReader): Generator<{ readonly type: number; readonly from: number }> {
  let units = 0;
  for (let at = 0; at < reader.length; ) {
    if (++units > MAX_UNITS) throw new MalformedImage('The AVIF has too many units.');
    const header = reader.u8(at);
    const type = (header >> 3) & 15;
    at += (header & 4) === 0 ? 1 : 2;
    // A unit without length extends to the end.
    const { value, bytes } = (header & 2) === 0 ? { value: reader.length, bytes: 0 } : readLeb128(reader, at);
    yield { type, from: at + bytes };
    at += bytes + value;
  }
}

/** Matrix coefficients of a picture that does not name them (H.273). */
const UNSPECIFIED = 2;

/** BT.709 primaries, sRGB transfer and no matrix imply the full range (AV1, 5.5.2). */
const SRGB = [1, 13, 0];

/**
 * Reads the colour of a still picture from its sequence header (AV1, 5.5).
 *
 * @returns undefined if the header has the longer form, as videos do, or is missing
 */
export function readSequenceColour(data: readonly Uint8Array[]): Colour | undefined {
  const reader = new ByteReader(concatenate(data));
  for (const { type, from } of readUnits(reader)) {
    if (type === SEQUENCE_HEADER) return readStillColour(new BitCursor(reader, from));
  }
  return undefined;
}

function readStillColour(cursor: BitCursor): Colour | undefined {
  const profile = cursor.next(3);
  const [, isReduced] = [cursor.next(1), cursor.next(1) === 1];
  if (!isReduced) return undefined;
  cursor.next(5);
  const sizes = [cursor.next(4) + 1, cursor.next(4) + 1];
  for (const bits of sizes) cursor.next(bits);
  // Tools: large blocks, two intra filters, super-resolution, and two loop filters.
  cursor.next(6);
  const isDeep = cursor.next(1) === 1;
  if (profile === 2 && isDeep) cursor.next(1);
  if (profile !== 1) cursor.next(1);
  const named = cursor.next(1) === 1 ? [cursor.next(8), cursor.next(8), cursor.next(8)] : undefined;
  const isSrgb = named?.every((value, i) => value === SRGB[i]) === true;
  return { matrix: named?.[2] ?? UNSPECIFIED, fullRange: isSrgb || cursor.next(1) === 1 };
}

/** Reads integers of up to 16 bits one after the other, the highest bit first. */
class BitCursor {
  readonly #reader: ByteReader;
  #at: number;

  constructor(reader: ByteReader, from: number) {
    this.#reader = reader;
    this.#at = from * 8;
  }

  next(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++, this.#at++) {
      value = value * 2 + ((this.#reader.u8(this.#at >> 3) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }
}

/** Reads an integer of seven bits per byte, lowest first (AV1, 4.10.5). */
function readLeb128(reader: ByteReader, from: number): { readonly value: number; readonly bytes: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = reader.u8(from + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, bytes: i + 1 };
  }
  throw new MalformedImage('The AVIF is damaged.');
}
