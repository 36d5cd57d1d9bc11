import { readText, viewOf } from './container.js';

/** @import { Part } from './container.js' */

/**
 * Whether a photo lies on its side or is mirrored in a browser, but not in the service. Browsers honour the EXIF of a
 * JPEG if it is stored as the standard says, and ignore other sources: XMP, PNG's `Raw profile type exif`, and EXIF in
 * WebP. They differ on EXIF in PNG.
 *
 * @param {readonly Part[]} metadata
 */
export function hasIgnoredOrientation(metadata) {
  const isHonoured = metadata.some(({ type, data }) => type === 'APP1' && readExif(data, /^Exif\0\0/)?.isStandard);
  return !isHonoured && metadata.some(isTurned);
}

/** @param {Part} part */
function isTurned({ data }) {
  const text = readText(data);
  // The service decompresses these. They are rare enough to count as turned.
  if (/^Raw profile type (exif|APP1)\0/.test(text) || text.startsWith('XML:com.adobe.xmp\0\x01')) return true;
  if (/tiff:Orientation\s*(=\s*["']|>)\s*[2-8]/.test(text)) return true;
  const { orientation = 1 } = readExif(data, /^(Exif\0\0)*/) ?? {};
  return orientation >= 2 && orientation <= 8;
}

/**
 * Reads the orientation from the first directory of EXIF.
 *
 * @param {Uint8Array} data
 * @param {RegExp} header what precedes the TIFF structure
 * @returns {{ orientation: number, isStandard: boolean } | undefined}
 */
function readExif(data, header) {
  const start = header.exec(readText(data.subarray(0, 64)))?.[0].length;
  if (start === undefined) return undefined;
  const view = viewOf(data.subarray(start));
  try {
    const little = view.getUint16(0) === 0x4949;
    if (view.getUint16(2, little) !== 42) return undefined;
    const directory = view.getUint32(4, little);
    for (let left = view.getUint16(directory, little), at = directory + 2; left > 0; left--, at += 12) {
      if (view.getUint16(at, little) !== 0x0112) continue;
      const isShort = view.getUint16(at + 2, little) === 3;
      const orientation = isShort ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little);
      return { orientation, isStandard: isShort && view.getUint32(at + 4, little) === 1 };
    }
  } catch {
    // Damaged EXIF has no orientation.
  }
  return undefined;
}
