import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import { concatenate } from '../heif/concatenate.ts';
import type { Tile } from '../heif/picture.ts';

/** Contents of `hvcC` (ISO/IEC 14496-15, 8.3.3.1). */
export interface HevcConfig {
  /** 0: grey, 1: 4:2:0, 2: 4:2:2, 3: 4:4:4. */
  readonly chromaFormat: number;
  /** Bits per sample. */
  readonly depth: number;
  /** Bytes of a NAL unit's length. */
  readonly lengthBytes: number;
  /** Parameter sets. */
  readonly units: readonly Uint8Array[];
}

/** Bounds the parameter sets. */
const MAX_UNITS = 64;
/** Bounds the slices of a picture (ITU-T H.265, table A.8). */
const MAX_SLICES = 600;

/** NAL unit types (ITU-T H.265, table 7-1): slices are below 32, and those of pictures without references from 16 on. */
const FIRST_INTRA = 16;
const LAST_INTRA = 21;
const LAST_SLICE = 31;
/** Supplemental information, which no picture needs. */
const SUPPLEMENTAL = [39, 40];

export function readHevcConfig(config: Uint8Array): HevcConfig {
  const reader = new ByteReader(config);
  const units: Uint8Array[] = [];
  let at = 23;
  for (let arrays = reader.u8(22); arrays > 0; arrays--) {
    const count = reader.u16(at + 1);
    at += 3;
    for (let i = 0; i < count; i++) {
      if (units.length === MAX_UNITS) throw new MalformedImage('The HEIC has too many parameter sets.');
      const length = reader.u16(at);
      const unit = reader.slice(at + 2, length);
      // Only parameter sets belong here.
      if (length > 2 && typeOf(unit) > LAST_SLICE && !SUPPLEMENTAL.includes(typeOf(unit))) units.push(unit);
      at += 2 + length;
    }
  }
  return {
    chromaFormat: reader.u8(16) & 3,
    depth: (reader.u8(17) & 7) + 8,
    lengthBytes: (reader.u8(21) & 3) + 1,
    units,
  };
}

/**
 * Returns the NAL units of one picture without their lengths. It has to be a picture without references, and the only
 * one: a few bytes could otherwise repeat a large one.
 */
export function readUnits({ data }: Tile, lengthBytes: number): Uint8Array[] {
  const reader = new ByteReader(concatenate(data));
  const units: Uint8Array[] = [];
  let pictures = 0;
  for (let at = 0; at < reader.length; ) {
    const length = readLength(reader, at, lengthBytes);
    const unit = reader.slice(at + lengthBytes, length);
    at += lengthBytes + length;
    if (unit.length < 3) continue;
    const type = typeOf(unit);
    if (SUPPLEMENTAL.includes(type)) continue;
    if (type <= LAST_SLICE) {
      // A picture's first slice starts with a set bit.
      if (((unit[2] as number) & 0x80) !== 0) pictures++;
      if (type < FIRST_INTRA || type > LAST_INTRA || pictures !== 1) {
        throw new MalformedImage('The HEIC has a tile that is not a single picture.');
      }
    }
    if (units.length === MAX_SLICES) throw new MalformedImage('The HEIC has too many slices.');
    units.push(unit);
  }
  return units;
}

function typeOf(unit: Uint8Array): number {
  return ((unit[0] as number) >> 1) & 63;
}

function readLength(reader: ByteReader, at: number, bytes: number): number {
  if (bytes === 4) return reader.u32(at);
  if (bytes === 3) return reader.u24(at);
  return bytes === 2 ? reader.u16(at) : reader.u8(at);
}
