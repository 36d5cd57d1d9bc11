import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Header, Orientation } from '../codec.ts';
import { isExif, readOrientation } from '../exif.ts';

/** What a JPEG's markers say (ITU-T T.81, annex B). */
export interface JpegHeader extends Header {
  readonly progressive: boolean;
  readonly scans: readonly JpegScan[];
  /** Whether all coefficients are kept while decoding: progressive, or components in scans of their own. */
  readonly buffered: boolean;
  readonly components: readonly JpegComponent[];
  /** Where the file proper ends, behind EOI; phones append previews and videos there. */
  readonly end: number;
}

export interface JpegScan {
  /** Where it lies in the file, its SOS marker included. */
  readonly from: number;
  readonly to: number;
  readonly components: number;
  /** Whether it brings no block's mean (DC), only detail: a scan of a progressive file. */
  readonly detail: boolean;
}

export interface JpegComponent {
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
const APP1 = 0xe1;

/** As many as libjpeg-turbo's documentation advises to allow; usual are 1 and about 10. */
const MAX_SCANS = 500;

type Frame = Pick<JpegHeader, 'width' | 'height' | 'progressive' | 'components'>;

/** Walks all markers to EOI; a file without EOI is truncated. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const reader = new ByteReader(bytes);
  const scans: JpegScan[] = [];
  let frame: Frame | undefined;
  let orientation: Orientation | undefined;
  let at = 2;
  for (;;) {
    at = nextMarker(bytes, at);
    const marker = reader.u8(at - 1);
    if (marker === EOI) break;
    if (marker === SOI) throw new MalformedImage('The JPEG starts twice.');
    const length = reader.u16(at);
    const segment = reader.slice(at + 2, length - 2);
    if (isFrame(marker)) {
      if (frame) throw new MalformedImage('The JPEG has two frames.');
      frame = readFrame(marker, segment);
    } else if (marker === SOS) {
      if (scans.length === MAX_SCANS) throw new MalformedImage('The JPEG has too many scans.');
      const to = nextMarker(bytes, at + length) - 2;
      scans.push({ from: at - 2, to, ...readScan(segment) });
      // Its megabytes are walked once.
      at = to;
      continue;
    } else if (marker === APP1 && orientation === undefined && isExif(segment)) {
      orientation = readOrientation(segment);
    }
    at += length;
  }
  const [scan] = scans;
  if (!frame || !scan) throw new MalformedImage('The JPEG holds no picture.');
  const buffered = frame.progressive || scan.components < frame.components.length;
  return { ...frame, orientation: orientation ?? 1, scans, buffered, end: at };
}

/** The number of components comes first; behind their two bytes each follow the first and the last coefficient. */
function readScan(segment: Uint8Array): Pick<JpegScan, 'components' | 'detail'> {
  const reader = new ByteReader(segment);
  const components = reader.u8(0);
  return { components, detail: reader.u8(1 + 2 * components) > 0 };
}

/**
 * The position behind the next marker at or after `at`. Skips entropy-coded data, fill bytes and stray bytes, and the
 * markers that have no segment.
 */
function nextMarker(bytes: Uint8Array, at: number): number {
  const last = bytes.length - 1;
  // `indexOf` runs at memory speed over the megabytes in which there is nothing to find.
  for (let i = bytes.indexOf(0xff, at); i >= 0 && i < last; i = bytes.indexOf(0xff, i + 1)) {
    const marker = bytes[i + 1] as number;
    if (marker > TEM && marker < 0xff && !(marker >= RST0 && marker <= RST7)) return i + 2;
  }
  throw new MalformedImage('The JPEG is cut off before its end.');
}

function isFrame(marker: number): boolean {
  return marker >= SOF0 && marker <= SOF15 && marker !== DHT && marker !== JPG && marker !== DAC;
}

function readFrame(marker: number, segment: Uint8Array): Frame {
  if (marker > SOF2)
    throw new MalformedImage('This kind of JPEG (lossless, arithmetic or hierarchical) is not supported.');
  const reader = new ByteReader(segment);
  if (reader.u8(0) !== 8) throw new MalformedImage('Only JPEGs of 8 bits a channel are supported.');
  const height = reader.u16(1);
  const width = reader.u16(3);
  if (width === 0 || height === 0) throw new MalformedImage('The JPEG has no pixels.');
  const count = reader.u8(5);
  if (count !== 1 && count !== 3 && count !== 4)
    throw new MalformedImage(`A JPEG cannot have ${count} channels.`);
  const components = Array.from({ length: count }, (_, i) => {
    const factors = reader.u8(7 + i * 3);
    return { horizontal: factors >> 4, vertical: factors & 15 };
  });
  if (components.some(({ horizontal: h, vertical: v }) => h < 1 || h > 4 || v < 1 || v > 4)) {
    throw new MalformedImage('The JPEG has impossible sampling factors.');
  }
  return { width, height, progressive: marker === SOF2, components };
}
