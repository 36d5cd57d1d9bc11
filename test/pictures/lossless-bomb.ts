import { BitWriter } from './bit-writer.ts';

/** Writes a prefix code whose only symbol is 0. */
function writeSingle(writer: BitWriter): void {
  writer.put(0b0001, 4);
}

/** Writes a prefix code with eight bits for each of the first 256 symbols. */
function writeEveryByte(writer: BitWriter, alphabet: number): void {
  writer.put(0, 1).put(12 - 4, 4);
  for (let i = 0; i < 12; i++) writer.put(i === 2 || i === 11 ? 1 : 0, 3);
  writer.put(0, 1);
  for (let i = 0; i < alphabet; i++) writer.put(i < 256 ? 1 : 0, 1);
}

/** Reverses the lowest eight bits: codes are stored with the highest bit first. */
function reverse(value: number): number {
  return [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, bit) => sum | (((value >> bit) & 1) << (7 - bit)), 0);
}

/**
 * Creates a valid black lossless WebP (RFC 9649) with separate prefix codes for every tile of 4x4 pixels.
 *
 * @param side width and height in pixels; from 1024 on, the file has all 65,536 possible groups of codes
 */
export function losslessBomb(side: number): Uint8Array {
  const tiles = Math.ceil(side / 4) ** 2;
  const writer = new BitWriter()
    .put(side - 1, 14)
    .put(side - 1, 14)
    .put(0, 1)
    .put(0, 3);
  writer.put(0, 1).put(0, 1).put(1, 1).put(0, 3);
  writer.put(0, 1);
  writeEveryByte(writer, 280);
  writeEveryByte(writer, 256);
  for (let i = 0; i < 3; i++) writeSingle(writer);
  for (let i = 0; i < tiles; i++) writer.put(reverse(i), 8).put(reverse(i >> 8), 8);
  for (let i = 0; i < tiles * 5; i++) writeSingle(writer);
  const data = writer.finish();
  const file = new Uint8Array(20 + 1 + data.length + ((1 + data.length) & 1));
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode('RIFF....WEBPVP8L'));
  view.setUint32(4, file.length - 8, true);
  view.setUint32(16, 1 + data.length, true);
  file[20] = 0x2f;
  file.set(data, 21);
  return file;
}
