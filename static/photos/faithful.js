/**
 * Predicts whether this browser shows the page the pixels that the service decodes. Browsers may draw what there is of a
 * file that is cut off. They honour the EXIF orientation of a JPEG, but not XMP, PNG's `Raw profile type exif`, or EXIF in
 * WebP; they differ on EXIF in PNG and on turned or cropped AVIF. Some return noise for the pixels of a canvas.
 *
 * @typedef {(bytes: Uint8Array, view: DataView, keep: (metadata: Uint8Array) => void) => boolean} Reader reads the
 *   structure of a file, and keeps what may contain EXIF or XMP. Returns whether browsers draw the whole picture as far
 *   as the structure tells; may throw a RangeError if it is cut off.
 */

/** The formats that some browser draws otherwise than the service. @type {readonly (readonly [RegExp, Reader])[]} */
const READERS = [
  [/^\xff\xd8/, readJpeg],
  [/^\x89PNG/, readPng],
  [/^RIFF/, readWebp],
  [/^GIF8/, readGif],
  [/^....ftypavi/s, readAvif],
  [/^BM/, (bytes, view) => view.getUint32(2, true) <= bytes.length],
];

/** Pixels of each side of the probe. Browsers spare canvases of one colour, so it has many. */
const SIDE = 16;
/** The difference, of 255, that colour management may cause. */
const TOLERANCE = 2;

/** @type {boolean | undefined} */
let isExact;

/** Whether the pixels read from a canvas are those drawn. In Firefox with `resistFingerprinting` they are noise. */
export function canReadCanvas() {
  isExact ??= probeCanvas();
  return isExact;
}

function probeCanvas() {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext('2d');
  if (!context) return false;
  const drawn = [];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const colour = [x * SIDE, y * SIDE, (x ^ y) * SIDE];
      context.fillStyle = `rgb(${colour})`;
      context.fillRect(x, y, 1, 1);
      drawn.push(...colour, 255);
    }
  }
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return drawn.every((value, at) => Math.abs(value - (data[at] ?? 0)) <= TOLERANCE);
}

/**
 * Whether a browser that can draw the file draws all of it, and upright.
 *
 * @param {Blob} file
 */
export async function isDrawnFaithfully(file) {
  const head = String.fromCharCode(...(await readBytes(file.slice(0, 12))));
  const read = READERS.find(([signature]) => signature.test(head))?.[1];
  if (!read) return true;
  const bytes = await readBytes(file);
  /** @type {Uint8Array[]} */
  const metadata = [];
  try {
    if (!read(bytes, viewOf(bytes), (each) => metadata.push(each))) return false;
  } catch {
    return false;
  }
  const isHonoured = read === readJpeg && metadata.some((each) => readExif(each, /^Exif\0\0/)?.isStandard);
  return isHonoured || !metadata.some(isTurned);
}

/** @param {Blob} blob */
const readBytes = async (blob) => new Uint8Array(await blob.arrayBuffer());

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Decodes ASCII, and any other byte as some character. @param {Uint8Array} bytes */
const readText = (bytes) => new TextDecoder('latin1').decode(bytes);

/** @type {Reader} */
function readJpeg(bytes, view, keep) {
  for (let at = 2; ; ) {
    // Skips compressed data, in which 0xff is followed by 0 or a restart marker.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return false;
    const marker = view.getUint8(at + 1);
    if (marker === 0xd9) return true;
    if (marker === 0xff) at++;
    else if (marker < 2 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else {
      const end = at + 2 + view.getUint16(at + 2);
      if (marker === 0xe1) keep(bytes.subarray(at + 4, end));
      at = end;
    }
  }
}

/** @type {Reader} */
function readPng(bytes, view, keep) {
  for (let at = 8; ; ) {
    const type = readText(bytes.subarray(at + 4, at + 8));
    const end = at + 8 + view.getUint32(at);
    if (type === 'IEND') return true;
    if (/^(eXIf|tEXt|[zi]TXt)$/.test(type)) keep(bytes.subarray(at + 8, end));
    at = end + 4;
  }
}

/** @type {Reader} */
function readWebp(bytes, view, keep) {
  const size = 8 + view.getUint32(4, true);
  for (let at = 12; at < size; ) {
    const type = readText(bytes.subarray(at, at + 4));
    const end = at + 8 + view.getUint32(at + 4, true);
    if (/^(EXIF|XMP )$/.test(type)) keep(bytes.subarray(at + 8, end));
    at = end + (end & 1);
  }
  return size <= bytes.length;
}

/** @type {Reader} */
function readGif(_, view) {
  /** @param {number} flags */
  const sizeOfColours = (flags) => (flags & 0x80 ? 6 << (flags & 7) : 0);
  /** @param {number} at */
  const skipBlocks = (at) => {
    for (let size = view.getUint8(at); size > 0; size = view.getUint8(at)) at += 1 + size;
    return at + 1;
  };
  for (let at = 13 + sizeOfColours(view.getUint8(10)); ; ) {
    const block = view.getUint8(at);
    if (block === 0x2c) return skipBlocks(at + 11 + sizeOfColours(view.getUint8(at + 9))) > 0;
    at = block === 0x21 ? skipBlocks(at + 2) : at + 1;
  }
}

/** @type {Reader} */
function readAvif(bytes, view) {
  for (let at = 0; ; at += view.getUint32(at)) {
    const box = readText(bytes.subarray(at + 4, at + view.getUint32(at)));
    if (box.startsWith('meta')) return !/irot[^\0]|imir|clap/.test(box);
    if (view.getUint32(at) < 8) return true;
  }
}

/** @param {Uint8Array} metadata */
function isTurned(metadata) {
  const text = readText(metadata);
  // Only the service decompresses and decodes these. They are rare, so all count as turned.
  if (/^Raw profile type (exif|APP1)\0/.test(text) || text.startsWith('XML:com.adobe.xmp\0\x01')) return true;
  if (/tiff:Orientation\s*(=\s*["']|>)\s*[2-8]/.test(text)) return true;
  const { orientation = 1 } = readExif(metadata, /^(Exif\0\0)*/) ?? {};
  return orientation >= 2 && orientation <= 8;
}

/**
 * Reads the orientation from the first directory of EXIF.
 *
 * @param {Uint8Array} metadata
 * @param {RegExp} header what precedes the TIFF structure
 * @returns {{ orientation: number, isStandard: boolean } | undefined}
 */
function readExif(metadata, header) {
  const start = header.exec(readText(metadata.subarray(0, 64)))?.[0].length;
  if (start === undefined) return undefined;
  const view = viewOf(metadata.subarray(start));
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
