import { MalformedImage } from '../../errors.ts';
import type { Size } from '../codec.ts';
import { BitReader, PrefixCode } from './bits.ts';

/** Position of the bitstream in a VP8L chunk's payload, after the signature byte and the size. */
const BITSTREAM = 5;

const LITERALS = 256;
const LENGTH_CODES = 24;
const DISTANCE_CODES = 40;
const MAX_CACHE_BITS = 11;

/** 4-byte entries in libwebp's lookup tables for one group of prefix codes, indexed by the colour cache's bits. */
const TABLE_ENTRIES = [2954, 2956, 2958, 2962, 2970, 2986, 3018, 3082, 3212, 3468, 3980, 5004];
const GROUP_BYTES = 576;

/**
 * Returns the memory in bytes that libwebp needs for the prefix codes of a lossless picture: 12 to 20 KB for each group
 * of codes. A file may have 65,536 groups, so 300 KB can demand more than a gigabyte. Only the bitstream reveals the
 * number of groups, so this reads it up to there (RFC 9649, sections 3.5 to 3.7).
 */
export function prefixCodeBytes(payload: Uint8Array, size: Size): number {
  const reader = new BitReader(payload, BITSTREAM);
  const coded = skipTransforms(reader, size);
  const cacheBits = readCacheBits(reader);
  const groups = reader.bit() ? readGroupCount(reader, coded) : 1;
  return groups * ((TABLE_ENTRIES[cacheBits] as number) * 4 + GROUP_BYTES);
}

/** Returns the coded size. A palette can pack several pixels into one, which makes it narrower than the picture. */
function skipTransforms(reader: BitReader, { width, height }: Size): Size {
  const seen = new Set<number>();
  let coded = width;
  while (reader.bit()) {
    const type = reader.bits(2);
    if (seen.has(type)) throw new MalformedImage('The WebP is damaged.');
    seen.add(type);
    if (type === 0 || type === 1) {
      readImage(reader, tileSize({ width: coded, height }, 2 + reader.bits(3)));
    } else if (type === 3) {
      const colours = 1 + reader.bits(8);
      readImage(reader, { width: colours, height: 1 });
      coded = Math.ceil(coded / (colours > 16 ? 1 : colours > 4 ? 2 : colours > 2 ? 4 : 8));
    }
  }
  return { width: coded, height };
}

/** Returns the number of groups. Red and green of a small picture, with one pixel per tile, name each tile's group. */
function readGroupCount(reader: BitReader, size: Size): number {
  const image = readImage(reader, tileSize(size, 2 + reader.bits(3)));
  return image.reduce((most, argb) => Math.max(most, (argb >>> 8) & 0xffff), 0) + 1;
}

function tileSize({ width, height }: Size, bits: number): Size {
  return { width: Math.ceil(width / (1 << bits)), height: Math.ceil(height / (1 << bits)) };
}

function readCacheBits(reader: BitReader): number {
  if (!reader.bit()) return 0;
  const bits = reader.bits(4);
  if (bits < 1 || bits > MAX_CACHE_BITS) throw new MalformedImage('The WebP is damaged.');
  return bits;
}

/** Reads the ARGB of an auxiliary picture, which has neither transforms nor groups. */
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
      const length = readPrefixValue(reader, symbol - LITERALS);
      const back = pixelDistance(readPrefixValue(reader, distances.symbol(reader)), width);
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

/** Reads a length or distance: the symbol selects a range, and extra bits the value in it (section 3.6.2.2). */
function readPrefixValue(reader: BitReader, symbol: number): number {
  if (symbol < 4) return symbol + 1;
  const extra = (symbol - 2) >> 1;
  return ((2 + (symbol & 1)) << extra) + reader.bits(extra) + 1;
}

/**
 * Nearby pixels that have dedicated distance codes, nearest first: `dx` to the left and `dy` up. The order reproduces
 * the table in section 3.6.2.2.
 */
const NEIGHBOURS = Array.from({ length: 128 }, (_, i) => ({ dx: (i % 16) - 7, dy: i >> 4 }))
  .filter(({ dx, dy }) => dy > 0 || dx > 0)
  .sort((a, b) => a.dx ** 2 + a.dy ** 2 - b.dx ** 2 - b.dy ** 2 || Math.abs(a.dx) - Math.abs(b.dx) || b.dx - a.dx);

function pixelDistance(code: number, width: number): number {
  const neighbour = NEIGHBOURS[code - 1];
  if (!neighbour) return code - NEIGHBOURS.length;
  return Math.max(1, neighbour.dx + neighbour.dy * width);
}
