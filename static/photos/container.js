/**
 * Reads the structure of image files: of the formats that some browser draws although the file is cut off.
 *
 * @typedef {object} Part a JPEG segment, or a PNG or WebP chunk
 * @property {string} type `APP1`, or the chunk's type
 * @property {Uint8Array} data
 *
 * @typedef {object} Container
 * @property {boolean} isComplete whether the first picture is there to its end; true for unknown formats
 * @property {Part[]} metadata the parts that may contain EXIF or XMP, in JPEG, PNG and WebP
 *
 * @typedef {(bytes: Uint8Array, view: DataView) => Container} Reader throws a RangeError if the file is cut off
 */

/** Each format's signature and reader. @type {readonly (readonly [string, Reader])[]} */
const READERS = [
  ['\xff\xd8', readJpeg],
  ['\x89PNG', readPng],
  ['RIFF', readWebp],
  ['GIF8', readGif],
  ['BM', readBmp],
];

/**
 * @param {Blob} file
 * @returns {Promise<Container>}
 */
export async function readContainer(file) {
  const head = String.fromCharCode(...(await readBytes(file.slice(0, 4))));
  const reader = READERS.find(([signature]) => head.startsWith(signature))?.[1];
  if (!reader) return { isComplete: true, metadata: [] };
  const bytes = await readBytes(file);
  try {
    return reader(bytes, viewOf(bytes));
  } catch {
    return { isComplete: false, metadata: [] };
  }
}

/** Decodes ASCII, and any other byte as some character. @param {Uint8Array} bytes */
export const readText = (bytes) => new TextDecoder('latin1').decode(bytes);

/** @param {Uint8Array} bytes */
export const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param {Blob} blob */
const readBytes = async (blob) => new Uint8Array(await blob.arrayBuffer());

/** @type {Reader} */
function readJpeg(bytes, view) {
  /** @type {Part[]} */
  const metadata = [];
  for (let at = 2; ; ) {
    // Skips compressed data, in which 0xff is followed by 0 or a restart marker.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return { isComplete: false, metadata };
    const marker = view.getUint8(at + 1);
    if (marker === 0xd9) return { isComplete: true, metadata };
    if (marker === 0xff) at++;
    else if (marker < 2 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else {
      const end = at + 2 + view.getUint16(at + 2);
      if (marker === 0xe1) metadata.push({ type: 'APP1', data: bytes.subarray(at + 4, end) });
      at = end;
    }
  }
}

/** @type {Reader} */
function readPng(bytes, view) {
  /** @type {Part[]} */
  const metadata = [];
  for (let at = 8; ; ) {
    const type = readText(bytes.subarray(at + 4, at + 8));
    const end = at + 8 + view.getUint32(at);
    if (type === 'IEND') return { isComplete: true, metadata };
    if (/^(eXIf|[tzi]TXt)$/.test(type)) metadata.push({ type, data: bytes.subarray(at + 8, end) });
    at = end + 4;
  }
}

/** @type {Reader} */
function readWebp(bytes, view) {
  /** @type {Part[]} */
  const metadata = [];
  const size = 8 + view.getUint32(4, true);
  for (let at = 12; at < size; ) {
    const type = readText(bytes.subarray(at, at + 4));
    const end = at + 8 + view.getUint32(at + 4, true);
    if (/^(EXIF|XMP )$/.test(type)) metadata.push({ type, data: bytes.subarray(at + 8, end) });
    at = end + (end & 1);
  }
  return { isComplete: size <= bytes.length, metadata };
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
    if (block === 0x21) at = skipBlocks(at + 2);
    else if (block === 0x2c) {
      skipBlocks(at + 11 + sizeOfColours(view.getUint8(at + 9)));
      return { isComplete: true, metadata: [] };
    } else at++;
  }
}

/** @type {Reader} */
function readBmp(bytes, view) {
  return { isComplete: view.getUint32(2, true) <= bytes.length, metadata: [] };
}
