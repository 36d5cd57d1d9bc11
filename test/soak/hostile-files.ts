import { BitWriter } from '../pictures/bit-writer.ts';
import { losslessBomb } from '../pictures/lossless-bomb.ts';
import { encodePng } from '../pictures/png.ts';
import { resizedJpeg } from '../pictures/resized-jpeg.ts';
import { type Random, seeded } from '../random.ts';
import type { File, Photo } from './photos.ts';

/** A damaged or malicious file. */
export interface HostileFile extends Photo {
  /** The statuses that are right for it. */
  readonly statuses: readonly number[];
}

const DAMAGED = [200, 413, 415, 422];

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
export function* mutatedFiles(photos: readonly Photo[], count: number, seed: number): Generator<HostileFile> {
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
export async function craftedFiles(jpeg: Buffer, progressive: Buffer): Promise<HostileFile[]> {
  const file = (name: string, type: string, status: number, bytes: Uint8Array): HostileFile => ({
    name,
    bytes: Buffer.from(bytes),
    type: `image/${type}`,
    statuses: [status],
  });
  const claiming = (side: number, status: number) =>
    file(`small JPEG that claims ${side} x ${side}`, 'jpeg', status, resizedJpeg(jpeg, squareOf(side)));
  const scans = (times: number, status: number) =>
    file(`12 MP JPEG, first scan ${times} times`, 'jpeg', status, repeatFirstScan(progressive, times));
  const png = async (width: number, height: number, status: number) =>
    file(`PNG of zeros, ${width} x ${height}`, 'png', status, await plainPng(width, height));
  const webp = (side: number, status: number) =>
    file(`WebP of prefix codes, ${side} x ${side}`, 'webp', status, losslessBomb(side));
  const gif = (side: number, status: number) =>
    file(`GIF of one colour, ${side} x ${side}`, 'gif', status, plainGif(side));
  return [
    ...[claiming(7000, 200), claiming(14_000, 200), claiming(30_000, 413), claiming(65_500, 413)],
    ...[scans(10, 200), scans(30, 200), scans(300, 413)],
    ...[await png(7680, 4320, 200), await png(20_000, 1_660, 200)],
    ...[await png(65_000, 510, 200), await png(65_000, 65_000, 413)],
    ...[webp(512, 413), webp(1024, 413), webp(4000, 413)],
    ...[gif(2000, 200), gif(6000, 200), gif(7000, 200), gif(20_000, 413)],
  ];
}

/** Small files whose headers claim more pixels than the service accepts. */
export async function claimingFiles(photos: readonly Photo[]): Promise<File[]> {
  const jpegs = photos.filter(({ type }) => type === 'image/jpeg');
  const claiming = (side: number) =>
    jpegs.map(({ bytes, type }) => ({ bytes: Buffer.from(resizedJpeg(bytes, squareOf(side))), type }));
  return [
    ...[50_000, 57_000, 65_500].flatMap(claiming),
    ...[10_500, 65_535].map((side) => ({ bytes: plainGif(side), type: 'image/gif' })),
    { bytes: await plainPng(30_000, 30_000), type: 'image/png' },
    { bytes: await plainPng(100_000, 100_000), type: 'image/png' },
  ];
}

const squareOf = (side: number) => ({ width: side, height: side });

/** Repeats the bytes from SOS to the next marker. */
function repeatFirstScan(jpeg: Buffer, times: number): Buffer {
  const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;
  const from = jpeg.indexOf(Uint8Array.of(0xff, 0xda));
  let to = from + 2;
  while (!(jpeg[to] === 0xff && (jpeg[to + 1] ?? 0) >= 0xc0 && !isRestart(jpeg[to + 1] ?? 0))) to++;
  const scans = Array.from({ length: times }, () => jpeg.subarray(from, to));
  return Buffer.concat([jpeg.subarray(0, to), ...scans, jpeg.subarray(to)]);
}

/** Every row has the Paeth filter, the slowest to undo. At most 200 MB of rows are real. */
async function plainPng(width: number, height: number): Promise<Buffer> {
  const rowLength = 1 + width * 3;
  const rows = new Uint8Array(Math.min(height * rowLength, 200_000_000));
  for (let at = 0; at < rows.length; at += rowLength) rows[at] = 4;
  return Buffer.from(await encodePng(width, height, rows));
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
  return Buffer.from(writer.put(clear + 1, width).finish());
}
