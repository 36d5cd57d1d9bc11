import { MalformedImage } from '../../errors.ts';
import type { Size } from '../codec.ts';
import { BitReader, PrefixCode } from './bits.ts';

/** Where the bitstream begins behind the signature byte and size in a VP8L chunk's payload. */
const BITSTREAM = 5;

const LITERALS = 256;
const LENGTH_CODES = 24;
const DISTANCE_CODES = 40;
const MAX_CACHE_BITS = 11;

/** libwebp's lookup tables of one group of prefix codes, in entries of 4 bytes, by bits of the colour cache. */
const TABLE_ENTRIES = [2954, 2956, 2958, 2962, 2970, 2986, 3018, 3082, 3212, 3468, 3980, 5004];
const GROUP_BYTES = 576;

/**
 * Bytes that libwebp will take for the prefix codes of a lossless picture: 12 to 20 KB for each group of codes,
 * of which a file may have up to 65,536. A file of 300 KB can so demand more than a gigabyte, and only the
 * bitstream tells; it is read up to the number of groups (RFC 9649, sections 3.5 to 3.7).
 */
export function prefixCodeBytes(payload: Uint8Array, size: Size): number {
  const reader = new BitReader(payload, BITSTREAM);
  const coded = skipTransforms(reader, size);
  const cacheBits = readCacheBits(reader);
  const groups = reader.bit() ? readGroups(reader, coded) : 1;
  return groups * ((TABLE_ENTRIES[cacheBits] as number) * 4 + GROUP_BYTES);
}

/** Returns the size of what is coded, which is narrower than the picture when a palette packs its pixels. */
function skipTransforms(reader: BitReader, { width, height }: Size): Size {
  const seen = new Set<number>();
  let coded = width;
  while (reader.bit()) {
    const type = reader.bits(2);
    if (seen.has(type)) throw new MalformedImage('The WebP is damaged.');
    seen.add(type);
    if (type === 0 || type === 1) {
      readImage(reader, tiles({ width: coded, height }, 2 + reader.bits(3)));
    } else if (type === 3) {
      const colours = 1 + reader.bits(8);
      readImage(reader, { width: colours, height: 1 });
      coded = tiles({ width: coded, height }, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3).width;
    }
  }
  return { width: coded, height };
}

/** The groups are numbered by the red and green of a small picture, one pixel for each tile. */
function readGroups(reader: BitReader, size: Size): number {
  const image = readImage(reader, tiles(size, 2 + reader.bits(3)));
  return image.reduce((most, argb) => Math.max(most, (argb >>> 8) & 0xffff), 0) + 1;
}

function tiles({ width, height }: Size, bits: number): Size {
  return { width: Math.ceil(width / (1 << bits)), height: Math.ceil(height / (1 << bits)) };
}

function readCacheBits(reader: BitReader): number {
  if (!reader.bit()) return 0;
  const bits = reader.bits(4);
  if (bits < 1 || bits > MAX_CACHE_BITS) throw new MalformedImage('The WebP is damaged.');
  return bits;
}

/** ARGB of a picture that serves the main one: it has neither transforms nor groups. */
function readImage(reader: BitReader, { width, height }: Size): Uint32Array {
  const cacheBits = readCacheBits(reader);
  const cache = new Uint32Array(cacheBits === 0 ? 0 : 1 << cacheBits);
  const green = PrefixCode.read(reader, LITERALS + LENGTH_CODES + cache.length);
  const red = PrefixCode.read(reader, LITERALS);
  const blue = PrefixCode.read(reader, LITERALS);
  const alpha = PrefixCode.read(reader, LITERALS);
  const distances = PrefixCode.read(reader, DISTANCE_CODES);
  const image = new Uint32Array(width * height);
  for (let at = 0; at < image.length; ) {
    const symbol = green.symbol(reader);
    const start = at;
    if (symbol < LITERALS) {
      const high = red.symbol(reader);
      const low = blue.symbol(reader);
      image[at++] = (alpha.symbol(reader) << 24) | (high << 16) | (symbol << 8) | low;
    } else if (symbol < LITERALS + LENGTH_CODES) {
      const length = prefixValue(reader, symbol - LITERALS);
      const back = pixelDistance(prefixValue(reader, distances.symbol(reader)), width);
      if (back > at || at + length > image.length) throw new MalformedImage('The WebP is damaged.');
      for (const end = at + length; at < end; at++) image[at] = image[at - back] as number;
    } else {
      image[at++] = cache[symbol - LITERALS - LENGTH_CODES] as number;
    }
    if (cacheBits > 0) for (let i = start; i < at; i++) remember(cache, cacheBits, image[i] as number);
  }
  return image;
}

function remember(cache: Uint32Array, bits: number, argb: number): void {
  cache[Math.imul(0x1e35a7bd, argb) >>> (32 - bits)] = argb;
}

/** Lengths and distances: a symbol names a range, extra bits the place in it (section 3.6.2.2). */
function prefixValue(reader: BitReader, symbol: number): number {
  if (symbol < 4) return symbol + 1;
  const extra = (symbol - 2) >> 1;
  return ((2 + (symbol & 1)) << extra) + reader.bits(extra) + 1;
}

/**
 * The pixels near the one to be written that have distance codes of their own, nearest first: `dx` to the left and
 * `dy` up (section 3.6.2.2, whose table this order reproduces).
 */
const NEIGHBOURS = Array.from({ length: 128 }, (_, i) => ({ dx: (i % 16) - 7, dy: i >> 4 }))
  .filter(({ dx, dy }) => dy > 0 || dx > 0)
  .sort(
    (a, b) => a.dx ** 2 + a.dy ** 2 - b.dx ** 2 - b.dy ** 2 || Math.abs(a.dx) - Math.abs(b.dx) || b.dx - a.dx,
  );

function pixelDistance(code: number, width: number): number {
  const neighbour = NEIGHBOURS[code - 1];
  if (!neighbour) return code - NEIGHBOURS.length;
  return Math.max(1, neighbour.dx + neighbour.dy * width);
}
