import { crc32, deflateRawSync, deflateSync } from 'node:zlib';
import { ADAM7 } from '../../../src/image/png/decode.ts';
import { BitWriter } from '../../pictures/bit-writer.ts';
import { seeded } from '../../random.ts';

/** A PNG to generate. */
export interface PngRecipe {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  /** Colour type as in IHDR. */
  readonly colour: 0 | 2 | 3 | 4 | 6;
  readonly interlaced: boolean;
  /** Filter of every row; 5: all of them in turn. */
  readonly filter: 0 | 1 | 2 | 3 | 4 | 5;
  readonly noise: boolean;
  /** Of zlib. */
  readonly level: number;
  /** Number of deflate blocks that hold prefix codes and no data. */
  readonly emptyBlocks: number;
  /** Bytes in each IDAT chunk. */
  readonly chunkBytes: number;
  readonly textChunks: number;
  /** What is in the two texts that may state the orientation: empty lines, plain or compressed, or empty deflate blocks. */
  readonly texts: 'none' | 'lines' | 'packed lines' | 'packed blocks';
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

/** Inflated size of the recipe's rows in bytes. */
export function rowsBytes(recipe: PngRecipe): number {
  return passesOf(recipe).reduce((sum, { rows, bytes }) => sum + rows * (bytes + 1), 0);
}

export function drawCostlyPng(recipe: PngRecipe): Buffer {
  const { width, height, depth, colour, interlaced, emptyBlocks, chunkBytes, textChunks } = recipe;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  const rows = drawRows(recipe);
  const data = Buffer.concat([
    Buffer.of(0x78, 0x01),
    emptyDeflateBlocks(emptyBlocks),
    deflateRawSync(rows, { level: recipe.level }),
    adler32(rows),
  ]);
  const text = chunk('tEXt', Buffer.from('k\0'));
  const parts = [Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk('IHDR', header)];
  if (colour === 3) parts.push(chunk('PLTE', Buffer.alloc(768, 0x5a)));
  for (let i = 0; i < textChunks; i++) parts.push(text);
  parts.push(...drawTexts(recipe.texts));
  for (let at = 0; at < data.length; at += chunkBytes) parts.push(chunk('IDAT', data.subarray(at, at + chunkBytes)));
  parts.push(chunk('IEND', Buffer.alloc(0)));
  return Buffer.concat(parts);
}

/** The longest text, and the longest compressed text, that a reader takes. */
const [MAX_TEXT, MAX_PACKED] = [1_048_576, 262_144];

function drawTexts(texts: PngRecipe['texts']): Buffer[] {
  if (texts === 'none') return [];
  return ['Raw profile type exif', 'XML:com.adobe.xmp'].map((keyword) => {
    const head = Buffer.from(`${keyword}\0`);
    const lines = Buffer.alloc(MAX_TEXT, '\n');
    if (texts === 'lines') return chunk('tEXt', Buffer.concat([head, lines]));
    const blocks = Buffer.concat([
      Buffer.of(0x78, 0x01),
      emptyDeflateBlocks(Math.floor((MAX_PACKED - 16) / BLOCK_BYTES)),
    ]);
    return chunk('zTXt', Buffer.concat([head, Buffer.of(0), texts === 'packed lines' ? deflateSync(lines) : blocks]));
  });
}

function passesOf({ width, height, depth, colour, interlaced }: PngRecipe) {
  const bits = CHANNELS[colour] * depth;
  return (interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const)).flatMap(([x, y, stepX, stepY]) => {
    const [pixels, rows] = [Math.ceil((width - x) / stepX), Math.ceil((height - y) / stepY)];
    return pixels > 0 && rows > 0 ? [{ rows, bytes: Math.ceil((pixels * bits) / 8) }] : [];
  });
}

function drawRows(recipe: PngRecipe): Buffer {
  const { filter, noise } = recipe;
  const random = seeded(recipe.width);
  const rows = Buffer.alloc(rowsBytes(recipe));
  // A prime number of bytes, so that rows differ.
  const pattern = Buffer.from(Array.from({ length: 65_521 }, () => (noise ? random() * 256 : 0)));
  if (noise) for (let at = 0; at < rows.length; at += pattern.length) pattern.copy(rows, at);
  let at = 0;
  for (const pass of passesOf(recipe)) {
    for (let row = 0; row < pass.rows; row++, at += pass.bytes + 1) rows[at] = filter === 5 ? row % 5 : filter;
  }
  return rows;
}

/** Bytes of one block of `emptyDeflateBlocks`, rounded up. */
const BLOCK_BYTES = 21;

/** Deflate blocks whose literal code has 16 symbols of 1 to 15 bits, and which end at once; aligned to a byte. */
function emptyDeflateBlocks(count: number): Buffer {
  const writer = new BitWriter();
  for (let block = 0; block < count; block++) {
    writer.put(0, 1).put(2, 2).put(0, 5).put(0, 5).put(15, 4);
    // Lengths of the code-length code, in storage order: four bits for 18 and for 1 to 15.
    for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]) {
      writer.put(symbol === 16 || symbol === 17 || symbol === 0 ? 0 : 4, 3);
    }
    // Canonical codes: symbol n has code n - 1, and 18 has 15.
    const length = (bits: number) => putCode(writer, bits - 1, 4);
    putCode(writer, 15, 4);
    writer.put(138 - 11, 7);
    putCode(writer, 15, 4);
    writer.put(103 - 11, 7);
    for (let bits = 15; bits >= 1; bits--) {
      length(bits);
      if (bits === 15) length(bits);
    }
    length(1);
    // The end of the block is the symbol with one bit.
    putCode(writer, 0, 1);
  }
  writer.put(0, 3);
  const bytes = writer.finish();
  // BitWriter pads with 16 bytes.
  return Buffer.concat([bytes.subarray(0, bytes.length - 16), Buffer.of(0, 0, 0xff, 0xff)]);
}

/** Prefix codes are stored with the highest bit first. */
function putCode(writer: BitWriter, code: number, length: number): void {
  for (let bit = length - 1; bit >= 0; bit--) writer.put((code >> bit) & 1, 1);
}

function adler32(bytes: Buffer): Buffer {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length; ) {
    for (const end = Math.min(at + 3800, bytes.length); at < end; at++) {
      a += bytes[at] as number;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt16BE(b, 0);
  sum.writeUInt16BE(a, 2);
  return sum;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
