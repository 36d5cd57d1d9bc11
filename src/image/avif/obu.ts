import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import { concatenate } from '../heif/concatenate.ts';

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

/** Types of units that decode a frame (AV1, 6.2.2). */
const FRAME_HEADER = 3;
const FRAME = 6;

/**
 * Counts the frames of a picture, without those that repeat a header. A still picture has one, a progressive one up to
 * four. Every frame costs as much as the whole picture, however few bytes it has.
 */
export function countFrames(data: readonly Uint8Array[]): number {
  const reader = new ByteReader(concatenate(data));
  let frames = 0;
  let units = 0;
  for (let at = 0; at < reader.length; ) {
    if (++units > MAX_UNITS) throw new MalformedImage('The AVIF has too many units.');
    const header = reader.u8(at);
    const type = (header >> 3) & 15;
    at += (header & 4) === 0 ? 1 : 2;
    if (type === FRAME || type === FRAME_HEADER) frames++;
    // A unit without length extends to the end.
    if ((header & 2) === 0) break;
    const { value, bytes } = readLeb128(reader, at);
    at += bytes + value;
  }
  return frames;
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
