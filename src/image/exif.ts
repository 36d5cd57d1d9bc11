import { ByteReader, startsWith } from './bytes.ts';
import type { Orientation } from './codec.ts';

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const EXIF_PREFIX = 'Exif\0\0';

/** More than any camera writes into one directory; bounds the walk. */
const MAX_ENTRIES = 1024;

/**
 * The orientation that an EXIF block names; 1 when it names none or is broken, since nobody's photo should
 * be refused for its metadata.
 *
 * @param block a TIFF stream, with or without the `Exif\0\0` before it
 */
export function readOrientation(block: Uint8Array): Orientation {
  try {
    return findOrientation(withoutPrefix(block));
  } catch {
    return 1;
  }
}

export function isExif(block: Uint8Array): boolean {
  return startsWith(block, EXIF_PREFIX);
}

function withoutPrefix(block: Uint8Array): Uint8Array {
  return isExif(block) ? block.subarray(EXIF_PREFIX.length) : block;
}

/** Walks the first image file directory of TIFF 6.0, section 2. */
function findOrientation(tiff: Uint8Array): Orientation {
  const reader = new ByteReader(tiff);
  const order = reader.ascii(0, 2);
  if (order !== 'II' && order !== 'MM') return 1;
  const little = order === 'II';
  if (reader.u16(2, little) !== 42) return 1;
  const directory = reader.u32(4, little);
  const entries = Math.min(reader.u16(directory, little), MAX_ENTRIES);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (reader.u16(entry, little) !== ORIENTATION_TAG) continue;
    if (reader.u16(entry + 2, little) !== SHORT) return 1;
    return toOrientation(reader.u16(entry + 8, little));
  }
  return 1;
}

function toOrientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
