import { crc32, deflateSync } from 'node:zlib';
import type { Picture } from './pictures.ts';

/** A file that means harm, or has come to it. */
export interface HostileFile {
  /** What was done to it, and its format. */
  readonly kind: string;
  readonly bytes: Buffer;
  readonly type: string;
}

/** What changes a file, given a source of numbers in [0, 1). */
const MUTATIONS: Readonly<Record<string, (bytes: Buffer, next: () => number) => Buffer>> = {
  'a few bytes changed': (bytes, next) => {
    for (let i = 0; i < 1 + next() * 20; i++) bytes[Math.floor(next() * bytes.length)] = next() * 256;
    return bytes;
  },
  'header bytes changed': (bytes, next) => {
    for (let i = 0; i < 1 + next() * 6; i++) {
      bytes[4 + Math.floor(next() * Math.min(600, bytes.length - 4))] = next() * 256;
    }
    return bytes;
  },
  'cut off': (bytes, next) => bytes.subarray(0, 16 + Math.floor(next() * (bytes.length - 16))),
  'noise inside': (bytes, next) => {
    const from = Math.floor(next() * bytes.length);
    const to = Math.min(bytes.length, from + Math.floor(next() * 5000));
    for (let i = from; i < to; i++) bytes[i] = next() * 256;
    return bytes;
  },
  'a piece moved': (bytes, next) => {
    const length = Math.floor(next() * Math.min(20_000, bytes.length / 2));
    const at = () => Math.floor(next() * (bytes.length - length));
    const from = at();
    return bytes.copyWithin(at(), from, from + length);
  },
};

/** `count` mutated copies of the pictures; the same ones for the same seed. */
export function* mutatedFiles(
  pictures: readonly Picture[],
  count: number,
  seed: number,
): Generator<HostileFile> {
  const next = mulberry32(seed);
  const names = Object.keys(MUTATIONS);
  for (let i = 0; i < count; i++) {
    const picture = pictures[i % pictures.length];
    const name = names[Math.floor(i / pictures.length) % names.length] ?? '';
    const mutate = MUTATIONS[name];
    if (!picture || !mutate) return;
    yield {
      kind: `${picture.name}, ${name}`,
      bytes: mutate(Buffer.from(picture.bytes), next),
      type: picture.type,
    };
  }
}

/** Files made to cost as much as they can. */
export function* craftedFiles(pictures: readonly Picture[]): Generator<HostileFile> {
  const jpeg = pictures.find(({ name }) => name === 'JPEG 800 px');
  const progressive = pictures.find(({ name }) => name.includes('progressive'));
  const type = 'image/jpeg';
  for (const side of [7000, 14_000, 30_000, 65_500]) {
    if (!jpeg) break;
    const bytes = resizedJpeg(jpeg.bytes, side);
    yield { kind: `small JPEG that claims ${side} x ${side}`, bytes, type };
  }
  for (const scans of [10, 30, 100]) {
    if (!progressive) break;
    const bytes = repeatFirstScan(progressive.bytes, scans);
    yield { kind: `12 MP JPEG, its first scan ${scans} times`, bytes, type };
  }
  for (const [width, height] of [
    [7680, 4320],
    [20_000, 1_660],
    [65_000, 510],
    [65_000, 65_000],
  ] as const) {
    const bytes = plainPng(width, height);
    yield { kind: `PNG of zeros, ${width} x ${height}`, bytes, type: 'image/png' };
  }
  for (const side of [512, 1024, 4000]) {
    const bytes = codesWebp(side);
    yield { kind: `WebP of prefix codes, ${side} x ${side}`, bytes, type: 'image/webp' };
  }
  for (const side of [2000, 6000, 7000, 20_000]) {
    yield { kind: `GIF of one colour, ${side} x ${side}`, bytes: plainGif(side), type: 'image/gif' };
  }
}

/** From SOS to the next marker, again and again. */
function repeatFirstScan(jpeg: Buffer, times: number): Buffer {
  const from = jpeg.indexOf(Uint8Array.of(0xff, 0xda));
  let to = from + 2;
  while (!(jpeg[to] === 0xff && (jpeg[to + 1] ?? 0) >= 0xc0 && !isRestart(jpeg[to + 1] ?? 0))) to++;
  const scan = jpeg.subarray(from, to);
  return Buffer.concat([
    jpeg.subarray(0, to),
    ...Array.from({ length: times }, () => scan),
    jpeg.subarray(to),
  ]);
}

const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

/** 24 bits a pixel, every row with the Paeth filter, which is the slowest; sizes beyond 200 MB are claimed only. */
function plainPng(width: number, height: number): Buffer {
  const rowLength = 1 + width * 3;
  const rows = Buffer.alloc(Math.min(height * rowLength, 200_000_000));
  for (let at = 0; at < rows.length; at += rowLength) rows[at] = 4;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** One colour: every code stands for a run one longer than the code before it. */
function plainGif(side: number): Buffer {
  const screen = Buffer.alloc(13);
  screen.write('GIF89a', 'latin1');
  screen.writeUInt16LE(side, 6);
  screen.writeUInt16LE(side, 8);
  screen[10] = 0x80;
  const descriptor = Buffer.alloc(10);
  descriptor[0] = 0x2c;
  descriptor.writeUInt16LE(side, 5);
  descriptor.writeUInt16LE(side, 7);
  const palette = Buffer.from([120, 90, 60, 0, 0, 0]);
  const blocks: Buffer[] = [];
  const data = longestRuns(side * side);
  for (let at = 0; at < data.length; at += 255) {
    const block = data.subarray(at, at + 255);
    blocks.push(Buffer.of(block.length), block);
  }
  return Buffer.concat([screen, palette, descriptor, Buffer.of(2), ...blocks, Buffer.of(0, 0x3b)]);
}

/** LZW codes for `count` pixels of colour 0, in codes of two bits at first. */
function longestRuns(count: number): Buffer {
  const [clear, first, last] = [4, 6, 4095];
  const writer = new BitWriter();
  let width = 3;
  for (let written = 1; written <= count; written++) {
    writer.put(clear, width);
    width = 3;
    writer.put(0, width);
    for (let code = first, run = 2; code <= last && written < count; code++, run++) {
      writer.put(code, width);
      written += run;
      if (code + 1 === 1 << width && width < 12) width++;
    }
  }
  return writer.put(clear + 1, width).finish();
}

/** A lossless WebP (RFC 9649) whose every tile of 4x4 pixels asks for prefix codes of its own, up to 65,536 groups. */
function codesWebp(side: number): Buffer {
  const tiles = Math.ceil(side / 4) ** 2;
  const single = (writer: BitWriter) => writer.put(0b0001, 4);
  /** Eight bits for each of the first 256 symbols. */
  const everyByte = (writer: BitWriter, alphabet: number) => {
    writer.put(0, 1).put(12 - 4, 4);
    for (let i = 0; i < 12; i++) writer.put(i === 2 || i === 11 ? 1 : 0, 3);
    writer.put(0, 1);
    for (let i = 0; i < alphabet; i++) writer.put(i < 256 ? 1 : 0, 1);
  };
  const reversed = (value: number) =>
    Array.from({ length: 8 }, (_, bit) => ((value >> bit) & 1) << (7 - bit)).reduce(
      (sum, bit) => sum | bit,
      0,
    );
  const writer = new BitWriter();
  writer
    .put(side - 1, 14)
    .put(side - 1, 14)
    .put(0, 4);
  writer.put(0, 1).put(0, 1).put(1, 1).put(0, 3).put(0, 1);
  everyByte(writer, 280);
  everyByte(writer, 256);
  for (let i = 0; i < 3; i++) single(writer);
  for (let i = 0; i < tiles; i++) writer.put(reversed(i), 8).put(reversed(i >> 8), 8);
  for (let i = 0; i < tiles * 5; i++) single(writer);
  const data = Buffer.concat([Buffer.of(0x2f), writer.finish(), Buffer.alloc(16)]);
  const header = Buffer.from('RIFF....WEBPVP8L....', 'latin1');
  header.writeUInt32LE(12 + data.length + (data.length & 1), 4);
  header.writeUInt32LE(data.length, 16);
  return Buffer.concat([header, data, Buffer.alloc(data.length & 1)]);
}

/** The same JPEG with another size in its header: what its data does not fill stays grey. */
export function resizedJpeg(jpeg: Buffer, side: number): Buffer {
  const copy = Buffer.from(jpeg);
  const frame = copy.findIndex((byte, i) => byte === 0xff && (copy[i + 1] === 0xc0 || copy[i + 1] === 0xc2));
  copy.writeUInt16BE(side, frame + 5);
  copy.writeUInt16BE(side, frame + 7);
  return copy;
}

/** Writes bits, lowest first. */
class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;
  #held = 0;

  put(value: number, count: number): this {
    this.#bits |= value << this.#held;
    for (this.#held += count; this.#held >= 8; this.#held -= 8, this.#bits >>>= 8) {
      this.#bytes.push(this.#bits & 255);
    }
    return this;
  }

  finish(): Buffer {
    return Buffer.concat([Buffer.from(this.#bytes), Buffer.of(this.#bits & 255)]);
  }
}

/** Tommy Ettinger's 32-bit generator: numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
