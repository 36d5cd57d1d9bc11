import { ByteReader, startsWith } from './bytes.ts';

/** How other files start: their name, a text (Latin-1), and its position. */
const SIGNATURES: readonly (readonly [name: string, text: string, at?: number])[] = [
  ['a JPEG XL', '\xff\x0a'],
  ['a JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
  ['a JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['a JPEG 2000', '\xff\x4f\xff\x51'],
  ['a JPEG XR', 'II\xbc\x01'],
  ['an icon', '\0\0\x01\0'],
  ['a cursor', '\0\0\x02\0'],
  ['an icon', 'icns'],
  ['a Photoshop document', '8BPS'],
  ['a GIMP picture', 'gimp xcf'],
  ['a Krita or OpenDocument file', 'mimetype', 30],
  ['a PDF', '%PDF-'],
  ['a PostScript file', '%!PS'],
  ['a raw photo', 'FUJIFILMCCD-RAW'],
  ['a raw photo', 'FOVb'],
  ['a raw photo', '\0MRM'],
  ['a raw photo', 'IIRO'],
  ['a raw photo', 'IIRS'],
  ['a raw photo', 'IIU\0'],
  ['a raw photo', 'II\x1a\0\0\0HEAPCCDR'],
  ['a raw photo', 'II*\0\x10\0\0\0CR\x02'],
  ['a big TIFF', 'II+\0'],
  ['a big TIFF', 'MM\0+'],
  ['an OpenEXR picture', 'v/1\x01'],
  ['a Radiance picture', '#?R'],
  ['a QOI', 'qoif'],
  ['a DDS texture', 'DDS '],
  ['a BPG', 'BPG\xfb'],
  ['a FLIF', 'FLIF'],
  ['an MNG', '\x8aMNG'],
  ['a JNG', '\x8bJNG'],
  ['a DICOM picture', 'DICM', 128],
  ['a FITS picture', 'SIMPLE  ='],
  ['a Matroska or WebM video', '\x1a\x45\xdf\xa3'],
  ['an AVI video', 'AVI ', 8],
  ['a WAV recording', 'WAVE', 8],
  ['an MP3', 'ID3'],
  ['a ZIP archive', 'PK\x03\x04'],
  ['a gzip archive', '\x1f\x8b\x08'],
  ['an HTML page', '<!doctype html'],
  ['an HTML page', '<!DOCTYPE html'],
  ['an HTML page', '<html'],
  ['a data URL: send the bytes that it encodes', 'data:image/'],
  ['Base64: send the bytes that it encodes', '/9j/'],
  ['Base64: send the bytes that it encodes', 'iVBORw0KGgo'],
  ['a Git LFS pointer', 'version https://git-lfs'],
];

/** Brands of the ISO base media file format; all others are MP4 videos. */
const BRANDS: Readonly<Record<string, string>> = {
  'crx ': 'a raw photo',
  'qt  ': 'a QuickTime video',
  'jxl ': 'a JPEG XL',
  'jp2 ': 'a JPEG 2000',
  'M4A ': 'an M4A recording',
};

/** Boxes that QuickTime videos without brands start with. */
const QUICKTIME_BOXES = ['moov', 'mdat', 'wide', 'pnot'];

/** TIFF's tags of a camera's raw photo: DNGVersion, and the directories of the sensor's pixels. */
const RAW_TAGS = [50_706, 330];

/** How far a text is searched for an SVG's start. */
const TEXT_BYTES = 1_024;

/** Returns what a file of another format is, with its article, or `undefined` if it is unknown. */
export function nameForeign(bytes: Uint8Array): string | undefined {
  const known = SIGNATURES.find(([, text, at]) => startsWith(bytes, text, at));
  if (known) return known[0];
  // A bitmap's two reserved words are 0.
  if (startsWith(bytes, 'BM') && startsWith(bytes, '\0\0\0\0', 6)) return 'a BMP';
  if (startsWith(bytes, 'II*\0') || startsWith(bytes, 'MM\0*')) return isRaw(bytes) ? 'a raw photo' : 'a TIFF';
  if (startsWith(bytes, 'ftyp', 4)) return BRANDS[ascii(bytes.subarray(8, 12))] ?? 'an MP4 video';
  if (QUICKTIME_BOXES.includes(ascii(bytes.subarray(4, 8)))) return 'a QuickTime video';
  if (/^P[1-7]\s/.test(ascii(bytes.subarray(0, 3)))) return 'a Netpbm picture';
  const text = ascii(bytes.subarray(0, TEXT_BYTES));
  // A byte order mark, a declaration or comments may come first.
  return /^(\xef\xbb\xbf)?\s*<([?!].*<)?svg[\s>]/s.test(text) ? 'an SVG' : undefined;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isRaw(bytes: Uint8Array): boolean {
  try {
    const reader = new ByteReader(bytes, startsWith(bytes, 'II'));
    const directory = reader.u32(4);
    const count = reader.u16(directory);
    for (let i = 0; i < count; i++) if (RAW_TAGS.includes(reader.u16(directory + 2 + 12 * i))) return true;
  } catch {
    // Cut off.
  }
  return false;
}
