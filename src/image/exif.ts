import { ByteReader, startsWith } from './bytes.ts';
import type { Orientation } from './codec.ts';

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const EXIF_PREFIX = 'Exif\0\0';

/** Bounds the walk; no camera writes as many entries. */
const MAX_ENTRIES = 1024;

/**
 * Returns the orientation in an EXIF block, or 1 if the block has none or is broken: damaged metadata is no reason to
 * refuse a photo.
 *
 * @param block a TIFF stream, with or without a leading `Exif\0\0`
 */
export function readOrientation(block: Uint8Array): Orientation {
  try {
    return findOrientation(isExif(block) ? block.subarray(EXIF_PREFIX.length) : block);
  } catch {
    return 1;
  }
}

export function isExif(block: Uint8Array): boolean {
  return startsWith(block, EXIF_PREFIX);
}

/** Searches the first image file directory (TIFF 6.0, section 2). */
function findOrientation(tiff: Uint8Array): Orientation {
  const littleEndian = startsWith(tiff, 'II');
  if (!littleEndian && !startsWith(tiff, 'MM')) return 1;
  const reader = new ByteReader(tiff, littleEndian);
  if (reader.u16(2) !== 42) return 1;
  const directory = reader.u32(4);
  const entries = Math.min(reader.u16(directory), MAX_ENTRIES);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (reader.u16(entry) !== ORIENTATION_TAG) continue;
    if (reader.u16(entry + 2) !== SHORT) return 1;
    return toOrientation(reader.u16(entry + 8));
  }
  return 1;
}

function toOrientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
