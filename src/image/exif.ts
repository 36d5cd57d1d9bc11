import { ByteReader, startsWith } from './bytes.ts';
import type { Orientation } from './codec.ts';

/** The blocks of a file that may state its orientation. */
export interface Metadata {
  /** A TIFF stream, with or without a leading `Exif\0\0`. */
  readonly exif?: Uint8Array | undefined;
  /** An XMP packet. */
  readonly xmp?: Uint8Array | undefined;
}

const ORIENTATION_TAG = 0x0112;
export const EXIF_PREFIX = 'Exif\0\0';

/** TIFF 6.0's field types of whole numbers, and how to read a value. Cameras write SHORT; editors also write others. */
const READERS: Partial<Record<number, (reader: ByteReader, at: number) => number>> = {
  3: (reader, at) => reader.u16(at), // SHORT
  4: (reader, at) => reader.u32(at), // LONG
  5: readRational, // RATIONAL
  6: (reader, at) => reader.u8(at), // SBYTE
  8: (reader, at) => reader.u16(at), // SSHORT
  9: (reader, at) => reader.u32(at), // SLONG
  10: readRational, // SRATIONAL
  11: (reader, at) => reader.f32(at), // FLOAT
  13: (reader, at) => reader.u32(at), // IFD
};

/** Bounds the walk; no camera writes as many entries. */
const MAX_ENTRIES = 1024;

/** Bounds the search in an XMP packet, as Pillow bounds the texts of a PNG. */
const MAX_XMP_BYTES = 1_048_576;

/**
 * Returns the orientation in EXIF or, if EXIF has none, in XMP, as Pillow's `exif_transpose` does. Returns 1 if there is
 * none, or if it is broken: damaged metadata is no reason to refuse a photo.
 */
export function readOrientation({ exif, xmp }: Metadata): Orientation {
  const value = (exif && readExif(exif)) ?? (xmp && readXmp(xmp));
  return value !== undefined && isOrientation(value) ? value : 1;
}

export function isExif(block: Uint8Array): boolean {
  return startsWith(block, EXIF_PREFIX);
}

function readExif(block: Uint8Array): number | undefined {
  // Some software writes the prefix twice.
  if (isExif(block)) return readExif(block.subarray(EXIF_PREFIX.length));
  try {
    return findOrientation(block);
  } catch {
    return undefined;
  }
}

/** Searches the first image file directory (TIFF 6.0, section 2). */
function findOrientation(tiff: Uint8Array): number | undefined {
  const littleEndian = startsWith(tiff, 'II');
  if (!littleEndian && !startsWith(tiff, 'MM')) return undefined;
  const reader = new ByteReader(tiff, littleEndian);
  // As in Pillow, the number 42 may be in the wrong byte order.
  if (reader.u16(2) !== 42 && reader.u16(2) !== 42 << 8) return undefined;
  const directory = reader.u32(4);
  const entries = Math.min(reader.u16(directory), MAX_ENTRIES);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    const isFilled = reader.u32(entry + 4) > 0;
    if (reader.u16(entry) !== ORIENTATION_TAG || !isFilled) continue;
    // As in Pillow, an orientation of another type counts, but turns nothing.
    return READERS[reader.u16(entry + 2)]?.(reader, entry + 8) ?? Number.NaN;
  }
  return undefined;
}

/** A rational does not fit into its entry, which contains its position. */
function readRational(reader: ByteReader, at: number): number {
  const position = reader.u32(at);
  return reader.u32(position) / reader.u32(position + 4);
}

/** Searches for `tiff:Orientation` as an attribute or an element, with Pillow's pattern. */
function readXmp(packet: Uint8Array): number | undefined {
  const text = new TextDecoder('latin1').decode(packet.subarray(0, MAX_XMP_BYTES));
  const [, digit] = /tiff:Orientation(?:="|>)([0-9])/.exec(text) ?? [];
  return digit === undefined ? undefined : Number(digit);
}

function isOrientation(value: number): value is Orientation {
  return Number.isInteger(value) && value >= 1 && value <= 8;
}
