import sharp from 'sharp';
import { seeded } from '../../random.ts';

/** A JPEG to generate. */
export interface JpegRecipe {
  /** Size of the encoded picture. */
  readonly coded: { readonly width: number; readonly height: number };
  /** Size in the header. */
  readonly size: { readonly width: number; readonly height: number };
  readonly progressive: boolean;
  readonly subsampled: boolean;
  /** Grey, YCbCr, CMYK, or YCCK. */
  readonly colour: 'grey' | 'colour' | 'cmyk' | 'ycck';
  readonly quality: number;
  /** Which scan to repeat, and how often in all. */
  readonly scan: number;
  readonly times: number;
  /** Whether each prefix code gets the shortest codes. */
  readonly shortCodes: boolean;
  /** What to write over the entropy-coded data; undefined: nothing. */
  readonly data: 'zeros' | 'ones' | 'noise' | undefined;
  /** Number of empty comments. */
  readonly comments: number;
  /** Units between two restart markers, which are missing; 0: none are announced. */
  readonly restartInterval: number;
}

const [SOF0, SOF2, DHT, EOI, SOS, DRI, APP14, COM] = [0xc0, 0xc2, 0xc4, 0xd9, 0xda, 0xdd, 0xee, 0xfe];
const CHANNELS = { grey: 1, colour: 3, cmyk: 4, ycck: 4 } as const;
const SPACES = { 1: 'b-w', 3: 'srgb', 4: 'cmyk' } as const;

export async function drawCostlyJpeg(recipe: JpegRecipe): Promise<Buffer> {
  const { progressive, subsampled, colour, quality, coded } = recipe;
  const random = seeded(coded.width);
  const noise = Buffer.from(Array.from({ length: 65_521 }, () => random() * 256));
  const channels = CHANNELS[colour];
  const pixels = Buffer.alloc(coded.width * coded.height * channels, noise);
  const bytes = await sharp(pixels, { raw: { ...coded, channels } })
    .toColourspace(SPACES[channels])
    .jpeg({ quality, progressive, chromaSubsampling: subsampled ? '4:2:0' : '4:4:4' })
    .toBuffer();
  return rewrite(bytes, recipe);
}

interface Segment {
  readonly marker: number;
  readonly payload: Buffer;
  readonly data: Buffer;
}

/** Splits a file into its marker segments, each with the entropy-coded data after it. */
function split(bytes: Buffer): Segment[] {
  const segments: Segment[] = [];
  for (let at = 2; bytes[at + 1] !== EOI; ) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    let next = end;
    while (!(bytes[next] === 0xff && (bytes[next + 1] ?? 0) >= 0xc0 && !isRestart(bytes[next + 1] ?? 0))) next++;
    segments.push({
      marker: bytes[at + 1] ?? 0,
      payload: bytes.subarray(at + 4, end),
      data: bytes.subarray(end, next),
    });
    at = next;
  }
  return segments;
}

const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

function rewrite(bytes: Buffer, recipe: JpegRecipe): Buffer {
  const { size, scan, times, shortCodes, comments, restartInterval } = recipe;
  const segments = split(bytes);
  const scans = segments.filter(({ marker }) => marker === SOS).length;
  const parts: Buffer[] = [Buffer.of(0xff, 0xd8)];
  const empty = Buffer.of(0xff, COM, 0, 2);
  parts.push(Buffer.alloc(comments * empty.length, empty));
  let index = 0;
  for (const { marker, payload, data } of segments) {
    if (marker === SOF0 || marker === SOF2) {
      const frame = Buffer.from(payload);
      frame.writeUInt16BE(size.height, 1);
      frame.writeUInt16BE(size.width, 3);
      parts.push(...encode(marker, frame));
      if (restartInterval > 0) parts.push(...encode(DRI, Buffer.of(restartInterval >> 8, restartInterval & 255)));
    } else if (marker === APP14 && recipe.colour === 'ycck') {
      // The last byte names the transform (Adobe technical note 5116).
      parts.push(...encode(APP14, Buffer.concat([payload.subarray(0, -1), Buffer.of(2)])));
    } else if (marker === DHT && shortCodes) {
      for (const table of tablesOf(payload)) parts.push(...encode(DHT, table));
    } else if (marker === SOS) {
      const repeats = index++ === scan % scans ? times : 1;
      const written = overwrite(data, recipe.data);
      for (let i = 0; i < repeats; i++) parts.push(...encode(marker, payload), written);
    } else {
      parts.push(...encode(marker, payload), data);
    }
  }
  return Buffer.concat([...parts, Buffer.of(0xff, EOI)]);
}

function encode(marker: number, payload: Buffer): Buffer[] {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(payload.length + 2, 2);
  return [head, payload];
}

/** The tables of a DHT segment, with the codes 0 and 10 for two symbols of theirs. */
function tablesOf(payload: Buffer): Buffer[] {
  const tables: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const id = payload[at] ?? 0;
    const count = payload.subarray(at + 1, at + 17).reduce((sum, each) => sum + each, 0);
    at += 17 + count;
    // DC: no difference. AC: one coefficient of one bit, and the end of the block.
    const symbols = id < 16 ? [0, 1] : [0x01, 0x00];
    tables.push(Buffer.from([id, 1, 1, ...new Array(14).fill(0), ...symbols]));
  }
  return tables;
}

function overwrite(data: Buffer, how: JpegRecipe['data']): Buffer {
  if (!how) return data;
  const random = seeded(data.length);
  // No byte is 0xff, which would start a marker.
  return Buffer.from(data.map(() => (how === 'zeros' ? 0 : how === 'ones' ? 0xfe : Math.floor(random() * 255))));
}
