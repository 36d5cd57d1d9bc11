import { crc32 } from 'node:zlib';
import { utf8 } from './png.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Right by default. */
  readonly crc?: number;
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Encodes an integer of `length` bytes. */
function integer(value: number, length: 2 | 4, littleEndian = false): Bytes {
  const view = new DataView(new ArrayBuffer(length));
  if (length === 2) view.setUint16(0, value, littleEndian);
  else view.setUint32(0, value, littleEndian);
  return new Uint8Array(view.buffer);
}

/** Splits a PNG into its chunks. */
export function splitPng(png: Uint8Array): PngChunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: PngChunk[] = [];
  for (let at = 8; at < png.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** Joins chunks to a PNG. */
export function joinPng(chunks: readonly PngChunk[]): Bytes {
  const parts = chunks.map(({ type, data, crc }) => {
    const body = concat(utf8(type), data);
    return concat(integer(data.length, 4), body, integer(crc ?? crc32(body), 4));
  });
  return concat(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), ...parts);
}

/** Inserts APP1 segments after a JPEG's start marker. */
export function withApp1(jpeg: Uint8Array, ...payloads: readonly Uint8Array[]): Bytes {
  const segments = payloads.map((payload) =>
    concat(Uint8Array.of(0xff, 0xe1), integer(payload.length + 2, 2), payload),
  );
  return concat(jpeg.subarray(0, 2), ...segments, jpeg.subarray(2));
}

/** Creates an extended WebP from the picture chunk of a simple one and chunks of metadata. */
export function extendWebp(
  webp: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  chunks: Readonly<Record<string, Uint8Array>>,
): Bytes {
  const flags = ('EXIF' in chunks ? 8 : 0) + ('XMP ' in chunks ? 4 : 0);
  const canvas = concat(integer(width - 1, 4, true).subarray(0, 3), integer(height - 1, 4, true).subarray(0, 3));
  const wrap = (name: string, data: Uint8Array) =>
    concat(utf8(name), integer(data.length, 4, true), data, new Uint8Array(data.length & 1));
  const body = concat(
    utf8('WEBP'),
    wrap('VP8X', concat(integer(flags, 4, true), canvas)),
    webp.subarray(12),
    ...Object.entries(chunks).map(([name, data]) => wrap(name, data)),
  );
  return concat(utf8('RIFF'), integer(body.length, 4, true), body);
}

/** A TIFF stream that contains only an orientation. */
export function tiff(orientation: number): Bytes {
  return Uint8Array.of(
    0x4d,
    0x4d,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    1,
    0x12,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  );
}

/** The same in the form in which ImageMagick stores it in text chunks, with lines of hexadecimal digits. */
export function rawProfile(orientation: number): string {
  const block = concat(utf8('Exif\0\0'), tiff(orientation));
  const digits = Array.from(block, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `\nexif\n${String(block.length).padStart(8)}\n${digits.slice(0, 24)}\n${digits.slice(24)}\n`;
}

/** An XMP packet with the orientation as an attribute or an element. */
export function xmp(orientation: number, form: 'attribute' | 'element' = 'attribute'): string {
  const [attribute, element] =
    form === 'attribute'
      ? [` tiff:Orientation="${orientation}"`, '']
      : ['', `<tiff:Orientation>${orientation}</tiff:Orientation>`];
  return [
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"${attribute}>${element}</rdf:Description>`,
    '</rdf:RDF></x:xmpmeta>',
  ].join('');
}
