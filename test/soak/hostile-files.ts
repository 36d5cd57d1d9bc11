import { crc32, deflateSync } from 'node:zlib';
import { seeded } from '../random.ts';
import type { File } from './requests.ts';

/** A damaged or malicious file. */
export interface HostileFile extends File {
  readonly name: string;
  /** The statuses that are right for it. */
  readonly statuses: readonly number[];
}

const DAMAGED = [200, 413, 415, 422];

type Random = () => number;

const MUTATIONS: Readonly<Record<string, (bytes: Buffer, next: Random) => Buffer>> = {
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

/** Yields `count` mutated copies of the photos: the same ones for the same seed. */
export function* mutatedFiles(
  photos: readonly (File & { readonly name: string })[],
  count: number,
  seed: number,
): Generator<HostileFile> {
  const next = seeded(seed);
  const mutations = Object.entries(MUTATIONS);
  for (let i = 0; i < count; i++) {
    const photo = photos[i % photos.length];
    const [name, mutate] = mutations[Math.floor(i / photos.length) % mutations.length] ?? [];
    if (!photo || !mutate) return;
    const bytes = mutate(Buffer.from(photo.bytes), next);
    yield { name: `${photo.name}, ${name}`, bytes, type: photo.type, statuses: DAMAGED };
  }
}

/** Files that cost the decoders as much as they can. */
export function craftedFiles(jpeg: Buffer, progressive: Buffer): HostileFile[] {
  const file = (name: string, type: string, status: number, bytes: Buffer): HostileFile => ({
    name,
    bytes,
    type: `image/${type}`,
    statuses: [status],
  });
  const claiming = (side: number, status: number) =>
    file(`small JPEG that claims ${side} x ${side}`, 'jpeg', status, resizeJpeg(jpeg, side));
  const scans = (times: number, status: number) =>
    file(`12 MP JPEG, first scan ${times} times`, 'jpeg', status, repeatFirstScan(progressive, times));
  const png = (width: number, height: number, status: number) =>
    file(`PNG of zeros, ${width} x ${height}`, 'png', status, plainPng(width, height));
  const webp = (side: number, status: number) =>
    file(`WebP of prefix codes, ${side} x ${side}`, 'webp', status, codesWebp(side));
  const gif = (side: number, status: number) =>
    file(`GIF of one colour, ${side} x ${side}`, 'gif', status, plainGif(side));
  return [
    ...[claiming(7000, 200), claiming(14_000, 200), claiming(30_000, 413), claiming(65_500, 413)],
    ...[scans(10, 200), scans(30, 200), scans(100, 413)],
    ...[png(7680, 4320, 200), png(20_000, 1_660, 200), png(65_000, 510, 200), png(65_000, 65_000, 413)],
    ...[webp(512, 200), webp(1024, 200), webp(4000, 413)],
    ...[gif(2000, 200), gif(6000, 200), gif(7000, 200), gif(20_000, 413)],
  ];
}

/** Copies of the photos whose headers claim more pixels than the service accepts. */
export function claimingFiles(photos: readonly File[]): File[] {
  const resized = (sides: readonly number[], resize: (bytes: Buffer, side: number) => Buffer, file: File) =>
    sides.map((side) => ({ bytes: resize(file.bytes, side), type: file.type }));
  return photos.flatMap((file) => {
    if (file.type === 'image/jpeg') return resized([14_500, 30_000, 65_500], resizeJpeg, file);
    if (file.type === 'image/png') return resized([30_000, 100_000], resizePng, file);
    if (file.type === 'image/gif') return resized([10_500, 65_535], resizeGif, file);
    return [];
  });
}

/** Changes the size in the frame header. The decoder leaves grey what the data does not fill. */
function resizeJpeg(jpeg: Buffer, side: number): Buffer {
  const copy = Buffer.from(jpeg);
  const frame = copy.findIndex((byte, i) => byte === 0xff && (copy[i + 1] === 0xc0 || copy[i + 1] === 0xc2));
  copy.writeUInt16BE(side, frame + 5);
  copy.writeUInt16BE(side, frame + 7);
  return copy;
}

/** Changes the size in IHDR, the first chunk, and its checksum. */
function resizePng(png: Buffer, side: number): Buffer {
  const copy = Buffer.from(png);
  copy.writeUInt32BE(side, 16);
  copy.writeUInt32BE(side, 20);
  copy.writeUInt32BE(crc32(copy.subarray(12, 29)), 29);
  return copy;
}

/** Changes the size of the screen and of the first frame. */
function resizeGif(gif: Buffer, side: number): Buffer {
  const copy = Buffer.from(gif);
  const flags = copy[10] ?? 0;
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  // An extension is a label and blocks up to an empty one.
  while (copy[at] === 0x21) {
    for (at += 2; copy[at] !== 0; at += 1 + (copy[at] ?? 0));
    at++;
  }
  for (const offset of [6, 8, at + 5, at + 7]) copy.writeUInt16LE(side, offset);
  return copy;
}

/** Repeats the bytes from SOS to the next marker. */
function repeatFirstScan(jpeg: Buffer, times: number): Buffer {
  const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;
  const from = jpeg.indexOf(Uint8Array.of(0xff, 0xda));
  let to = from + 2;
  while (!(jpeg[to] === 0xff && (jpeg[to + 1] ?? 0) >= 0xc0 && !isRestart(jpeg[to + 1] ?? 0))) to++;
  const scans = Array.from({ length: times }, () => jpeg.subarray(from, to));
  return Buffer.concat([jpeg.subarray(0, to), ...scans, jpeg.subarray(to)]);
}

/** 24 bits a pixel; every row has the Paeth filter, the slowest to undo. At most 200 MB of rows are real. */
function plainPng(width: number, height: number): Buffer {
  const rowLength = 1 + width * 3;
  const rows = Buffer.alloc(Math.min(height * rowLength, 200_000_000));
  for (let at = 0; at < rows.length; at += rowLength) rows[at] = 4;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const uint32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** One colour: each code stands for a run that is one pixel longer than that of the code before it. */
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

/** LZW codes for `count` pixels of colour 0, with a minimum code size of 2. */
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

/** A lossless WebP (RFC 9649) with its own prefix codes for every tile of 4x4 pixels, up to 65,536 groups. */
function codesWebp(side: number): Buffer {
  const tiles = Math.ceil(side / 4) ** 2;
  const writer = new BitWriter();
  const single = () => writer.put(0b0001, 4);
  /** Eight bits for each of the first 256 symbols. */
  const everyByte = (alphabet: number) => {
    writer.put(0, 1).put(12 - 4, 4);
    for (let i = 0; i < 12; i++) writer.put(i === 2 || i === 11 ? 1 : 0, 3);
    writer.put(0, 1);
    for (let i = 0; i < alphabet; i++) writer.put(i < 256 ? 1 : 0, 1);
  };
  const reversed = (value: number) => {
    let bits = 0;
    for (let bit = 0; bit < 8; bit++) bits |= ((value >> bit) & 1) << (7 - bit);
    return bits;
  };
  writer
    .put(side - 1, 14)
    .put(side - 1, 14)
    .put(0, 4);
  writer.put(0, 1).put(0, 1).put(1, 1).put(0, 3).put(0, 1);
  everyByte(280);
  everyByte(256);
  for (let i = 0; i < 3; i++) single();
  for (let i = 0; i < tiles; i++) writer.put(reversed(i), 8).put(reversed(i >> 8), 8);
  for (let i = 0; i < tiles * 5; i++) single();
  const data = Buffer.concat([Buffer.of(0x2f), writer.finish(), Buffer.alloc(16)]);
  const header = Buffer.from('RIFF....WEBPVP8L....', 'latin1');
  header.writeUInt32LE(12 + data.length + (data.length & 1), 4);
  header.writeUInt32LE(data.length, 16);
  return Buffer.concat([header, data, Buffer.alloc(data.length & 1)]);
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
