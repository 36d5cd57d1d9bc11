import { MalformedImage, UnsupportedMediaType } from '../../errors.ts';
import { ByteReader, startsWith } from '../bytes.ts';
import type { Header } from '../codec.ts';
import { EXIF_PREFIX, isExif, readOrientation } from '../exif.ts';

/** Contents of a JPEG's markers (ITU-T T.81, annex B). */
export interface JpegHeader extends Header {
  readonly progressive: boolean;
  readonly scans: readonly JpegScan[];
  /** Whether the decoder buffers all coefficients: for progressive files, and for components in separate scans. */
  readonly buffered: boolean;
  readonly components: readonly JpegComponent[];
  /**
   * Whether averaged samples would not give the average colour: black multiplies the other inks of CMYK, and of RGB that
   * is stored as such, subsampling blurs two channels.
   */
  readonly delicate: boolean;
  /** Number of marker segments, scans included. */
  readonly segments: number;
  /** Position after EOI, where phones append previews and videos, or after the data of a file without EOI. */
  readonly end: number;
  /** Whether EOI is missing. */
  readonly endless: boolean;
}

export interface JpegScan {
  /** Position of its SOS marker. */
  readonly from: number;
  /** Position after its entropy-coded data. */
  readonly to: number;
  readonly components: number;
  /** Whether it contains only AC coefficients, which only progressive files have. */
  readonly detail: boolean;
}

export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
}

const TEM = 0x01;
const SOF0 = 0xc0;
const SOF2 = 0xc2;
const DHT = 0xc4;
const JPG = 0xc8;
const DAC = 0xcc;
const SOF15 = 0xcf;
const RST0 = 0xd0;
const RST7 = 0xd7;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DHP = 0xde;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP14 = 0xee;
const SOF55 = 0xf7;

/** Variants of the format that the decoder lacks, by the markers that announce them. */
const UNSUPPORTED: Partial<Record<number, string>> = {
  [SOF0 + 3]: 'Lossless JPEGs',
  [SOF0 + 5]: 'Hierarchical JPEGs',
  [SOF0 + 6]: 'Hierarchical JPEGs',
  [SOF0 + 7]: 'Hierarchical JPEGs',
  [SOF0 + 9]: 'Arithmetic-coded JPEGs',
  [SOF0 + 10]: 'Arithmetic-coded JPEGs',
  [SOF0 + 11]: 'Lossless arithmetic-coded JPEGs',
  [SOF0 + 13]: 'Hierarchical arithmetic-coded JPEGs',
  [SOF0 + 14]: 'Hierarchical arithmetic-coded JPEGs',
  [SOF15]: 'Hierarchical arithmetic-coded JPEGs',
  [DHP]: 'Hierarchical JPEGs',
  [SOF55]: 'JPEG-LS files',
};

const XMP_PREFIX = 'http://ns.adobe.com/xap/1.0/\0';

/** A long EXIF block continues in further segments. The orientation is near its start. */
const MAX_EXIF_SEGMENTS = 4;

/** The limit that libjpeg-turbo's documentation recommends. Baseline files have 1, progressive ones about 10. */
const MAX_SCANS = 500;

type Frame = Pick<JpegHeader, 'width' | 'height' | 'progressive' | 'components'>;

/**
 * Reads all markers up to EOI. A file without EOI is truncated, unless it consists of a single scan: decoding that shows
 * whether anything else is missing.
 *
 * @throws {MalformedImage} the file is damaged or truncated
 * @throws {UnsupportedMediaType} the decoder lacks the file's variant of the format
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const reader = new ByteReader(bytes);
  const scans: JpegScan[] = [];
  const exif: Uint8Array[] = [];
  let xmp: Uint8Array | undefined;
  let jfif = false;
  let adobe: Uint8Array | undefined;
  let frame: Frame | undefined;
  let segments = 0;
  let endless = false;
  let at = 2;
  for (; ; segments++) {
    at = nextMarker(bytes, at);
    const marker = reader.u8(at - 1);
    if (marker === EOI) break;
    if (marker === SOI) throw new MalformedImage('The JPEG has two start markers.');
    const unsupported = UNSUPPORTED[marker];
    if (unsupported) throw unsupportedVariant(unsupported);
    const length = reader.u16(at);
    const segment = reader.slice(at + 2, length - 2);
    if (isFrame(marker)) {
      if (frame) throw new MalformedImage('The JPEG has two frames.');
      frame = readFrame(marker, segment);
    } else if (marker === SOS) {
      if (scans.length === MAX_SCANS) throw new MalformedImage('The JPEG has too many scans.');
      const next = findMarker(bytes, at + length);
      const to = next === undefined ? trimPadding(bytes) : next - 2;
      const { components, first } = readScan(segment);
      // Baseline scans contain all coefficients, although some cameras write another range.
      const detail = frame?.progressive === true && first > 0;
      scans.push({ from: at - 2, to, components, detail });
      // Skip the entropy-coded data, which has just been searched.
      at = to;
      if (next !== undefined) continue;
      endless = true;
      break;
    } else if (scans.length > 0) {
      // Readers have finished with the metadata when they reach the first scan.
    } else if (marker === APP1) {
      if (startsWith(segment, XMP_PREFIX)) xmp = segment.subarray(XMP_PREFIX.length);
      else if (isExif(segment) && exif.length < MAX_EXIF_SEGMENTS) exif.push(segment);
    } else if (marker === APP0) {
      jfif ||= startsWith(segment, 'JFIF\0');
    } else if (marker === APP14 && segment.length >= ADOBE_LENGTH && startsWith(segment, 'Adobe')) {
      adobe = segment;
    }
    at += length;
  }
  const [scan] = scans;
  if (!frame || !scan) throw new MalformedImage('The JPEG contains no picture.');
  const buffered = frame.progressive || scan.components < frame.components.length;
  if (endless && buffered) throw new MalformedImage('The JPEG is truncated.');
  const orientation = readOrientation({ exif: joinExif(exif), xmp });
  const delicate = isDelicate(frame.components, jfif, adobe);
  return { ...frame, orientation, scans, buffered, delicate, segments, end: at, endless };
}

/** Length of Adobe's segment, whose last byte is the colour transform. */
const ADOBE_LENGTH = 12;

/** Finds out the colours as libjpeg does (jdapimin.c). */
function isDelicate(components: readonly JpegComponent[], jfif: boolean, adobe: Uint8Array | undefined): boolean {
  if (components.length === 4) return true;
  const named = String.fromCharCode(...components.map(({ id }) => id)) === 'RGB';
  const rgb = !jfif && (adobe ? adobe[ADOBE_LENGTH - 1] === 0 : named);
  const [first, ...others] = components;
  const subsampled = others.some(
    (other) => other.horizontal !== first?.horizontal || other.vertical !== first.vertical,
  );
  return rgb && subsampled;
}

/** Layout: number of components, two bytes for each, and the first coefficient (0: DC). */
function readScan(segment: Uint8Array): { readonly components: number; readonly first: number } {
  const reader = new ByteReader(segment);
  const components = reader.u8(0);
  return { components, first: reader.u8(1 + 2 * components) };
}

/** Joins the segments of an EXIF block, as Pillow does; only the first keeps its prefix. */
function joinExif([first, ...others]: readonly Uint8Array[]): Uint8Array | undefined {
  if (!first || others.length === 0) return first;
  const parts = [first, ...others.map((segment) => segment.subarray(EXIF_PREFIX.length))];
  const block = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    block.set(part, at);
    at += part.length;
  }
  return block;
}

function unsupportedVariant(name: string): UnsupportedMediaType {
  return new UnsupportedMediaType(`${name} are not supported. Saved as a baseline JPEG, this photo would be accepted.`);
}

/**
 * Returns the position after the next marker at or after `at`. Skips entropy-coded data, fill bytes, stray bytes and
 * markers without a segment.
 */
function nextMarker(bytes: Uint8Array, at: number): number {
  const next = findMarker(bytes, at);
  if (next === undefined) throw new MalformedImage('The JPEG is truncated.');
  return next;
}

function findMarker(bytes: Uint8Array, at: number): number | undefined {
  const last = bytes.length - 1;
  // `indexOf` skips megabytes without a marker at memory speed.
  for (let i = bytes.indexOf(0xff, at); i >= 0 && i < last; i = bytes.indexOf(0xff, i + 1)) {
    const marker = bytes[i + 1] as number;
    if (marker > TEM && marker < 0xff && !(marker >= RST0 && marker <= RST7)) return i + 2;
  }
  return undefined;
}

/** Returns the length without zeros at the end and half a marker, but with the zero that follows a coded 0xff. */
function trimPadding(bytes: Uint8Array): number {
  let end = bytes.length;
  while (bytes[end - 1] === 0) end--;
  if (bytes[end - 1] !== 0xff) return end;
  return end < bytes.length ? end + 1 : end - 1;
}

function isFrame(marker: number): boolean {
  return marker >= SOF0 && marker <= SOF15 && marker !== DHT && marker !== JPG && marker !== DAC;
}

function readFrame(marker: number, segment: Uint8Array): Frame {
  const reader = new ByteReader(segment);
  const depth = reader.u8(0);
  if (depth === 12) throw unsupportedVariant('JPEGs with 12 bits per channel');
  if (depth !== 8) throw new MalformedImage('The JPEG has an invalid number of bits per channel.');
  const height = reader.u16(1);
  const width = reader.u16(3);
  if (width === 0 || height === 0) throw new MalformedImage('The JPEG has no pixels.');
  const count = reader.u8(5);
  if (count !== 1 && count !== 3 && count !== 4)
    throw new MalformedImage(`JPEGs with ${count} channels are not supported.`);
  const components = Array.from({ length: count }, (_, i) => {
    const id = reader.u8(6 + i * 3);
    const factors = reader.u8(7 + i * 3);
    return { id, horizontal: factors >> 4, vertical: factors & 15 };
  });
  if (components.some(({ horizontal: h, vertical: v }) => h < 1 || h > 4 || v < 1 || v > 4)) {
    throw new MalformedImage('The JPEG has invalid sampling factors.');
  }
  return { width, height, progressive: marker === SOF2, components };
}
