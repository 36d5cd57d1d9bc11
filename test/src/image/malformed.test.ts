import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { MalformedImage } from '../../../src/errors.ts';
import { heldBytes } from '../../../src/image/budget.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { outcome, picture, SPEC, toTensor } from '../pictures/pictures.ts';

const GOOD = [
  'jpeg 4:2:0',
  'jpeg progressive',
  'png rgb 8',
  'png rgb 8 interlaced',
  'webp lossy',
  'webp lossless',
  'gif',
];

const before = new Map(
  await Promise.all(GOOD.map(async (name) => [name, (await toTensor(picture(name).bytes, SPEC)).data] as const)),
);

afterEach(async () => {
  for (const [name, data] of before) expect((await toTensor(picture(name).bytes)).data).toEqual(data);
});

async function expectMalformed(bytes: Uint8Array): Promise<void> {
  expect(await outcome(bytes)).toBeInstanceOf(MalformedImage);
}

/** A copy with the bytes at `at` replaced. */
function patched(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

function indexOf(bytes: Uint8Array, text: string | readonly number[], from = 0): number {
  const wanted = typeof text === 'string' ? Array.from(text, (each) => each.charCodeAt(0)) : text;
  const at = bytes.findIndex((_, i) => i >= from && wanted.every((byte, j) => bytes[i + j] === byte));
  if (at < 0) throw new Error(`'${text}' not found.`);
  return at;
}

describe('a truncated file', () => {
  const animated = ['gif animated', 'gif frame beside its canvas', 'webp animated'];
  test.each([...GOOD, 'jpeg cmyk', 'jpeg orientation 6 MM', 'png palette 4', ...animated])('%s', async (name) => {
    const { bytes } = picture(name);
    const data = measureData(name, bytes);
    // Lengths near both ends, and a range in between.
    const lengths = [12, 13, 14, 15, 16, 20, 24, 25, 29, 33, data - 1, data - 2, data - 3, data - 12];
    for (let i = 1; i < 40; i++) lengths.push(Math.floor((data * i) / 40));
    for (const length of lengths.filter((each) => each >= 12)) await expectMalformed(bytes.slice(0, length));
  });

  /** The bytes that a file cannot do without. */
  function measureData(name: string, bytes: Uint8Array): number {
    if (name.startsWith('gif')) return firstFrameEnd(bytes);
    if (name.startsWith('png')) return dataEnd(bytes);
    return name.startsWith('jpeg') ? scanEnd(bytes) : bytes.length;
  }

  /** A JPEG of one scan may end after it. Its last byte may be padding. */
  function scanEnd(jpeg: Uint8Array): number {
    return jpeg.length - 3;
  }

  /** A PNG may end after the zlib stream, which IDAT's CRC and IEND follow. */
  function dataEnd(png: Uint8Array): number {
    return png.length - 16;
  }

  /** A GIF may end after the last pixel of its first frame: the last code and the terminator contain none. */
  function firstFrameEnd(gif: Uint8Array): number {
    const palette = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
    let at = 13 + palette(gif[10] ?? 0);
    const skip = () => {
      for (let length = gif[at] ?? 0; length > 0; length = gif[at] ?? 0) at += length + 1;
      at++;
    };
    while (gif[at] === 0x21) {
      at += 2;
      skip();
    }
    at += 10 + palette(gif[at + 9] ?? 0) + 1;
    skip();
    return at - 4;
  }
});

describe('JPEG', () => {
  const { bytes } = picture('jpeg 4:2:0');
  const frame = indexOf(bytes, [0xff, 0xc0]);
  test.each([
    ['no pixels across', patched(bytes, frame + 7, 0, 0)],
    ['no pixels down', patched(bytes, frame + 5, 0, 0)],
    ['9 bits a channel', patched(bytes, frame + 4, 9)],
    ['two channels', patched(bytes, frame + 9, 2)],
    ['sampling factors of 0', patched(bytes, frame + 11, 0)],
    ['sampling factors of 15', patched(bytes, frame + 11, 0xff)],
    ['a segment longer than the file', patched(bytes, 4, 0xff, 0xff)],
    ['a segment shorter than its length', patched(bytes, 4, 0, 1)],
    ['no tables', patched(bytes, indexOf(bytes, [0xff, 0xdb]) + 1, 0xfe)],
    ['a second start marker', patched(bytes, 2, 0xff, 0xd8)],
    ['only start and end markers', new Uint8Array([0xff, 0xd8, 0xff, 0xd9, ...new Array(12).fill(0)])],
  ])('%s', (_, file) => expectMalformed(file));

  test('hundreds of scans', async () => {
    const { bytes: file } = picture('jpeg progressive');
    const scan = indexOf(file, [0xff, 0xda]);
    const next = indexOf(file, [0xff, 0xc4], scan);
    const end = file.length - 2;
    const repeated = new Uint8Array(end + 600 * (next - scan) + 2);
    repeated.set(file.subarray(0, end));
    for (let i = 0; i < 600; i++) repeated.set(file.subarray(scan, next), end + i * (next - scan));
    repeated.set([0xff, 0xd9], repeated.length - 2);
    await expectMalformed(repeated);
  });
});

describe('PNG', () => {
  const { bytes } = picture('png rgb 8');
  test.each([
    ['no pixels', resealed(patched(bytes, 16, 0, 0, 0, 0))],
    ['an invalid depth for its colour type', resealed(patched(bytes, 24, 4))],
    ['an unknown colour type', resealed(patched(bytes, 25, 5))],
    ['an unknown interlace method', resealed(patched(bytes, 28, 2))],
    ['a wrong CRC of the header', patched(bytes, 29, 0)],
    ['wrong CRCs of the data, and a wrong checksum in the data', patched(bytes, bytes.length - 20, 1, 2, 3, 4)],
    ['one byte changed in the data', patched(bytes, 60, (bytes[60] ?? 0) ^ 1)],
    ['fewer rows of data than its header claims', resealed(patched(bytes, 23, 25))],
    ['no palette', resealed(patched(bytes, 25, 3))],
    ['no header', Uint8Array.from([...bytes.subarray(0, 8), ...bytes.subarray(33)])],
    ['no data', Uint8Array.from([...bytes.subarray(0, 33), ...bytes.subarray(-12)])],
    ['data that is not zlib', notZlib()],
  ])('%s', (_, file) => expectMalformed(file));

  /** Restores the header's CRC. */
  function resealed(file: Uint8Array): Uint8Array {
    return patched(file, 29, ...checksum(file.subarray(12, 29)));
  }

  /** Breaks the zlib header but keeps the CRC valid. */
  function notZlib(): Uint8Array {
    const length = new DataView(bytes.buffer).getUint32(33);
    const file = patched(bytes, 41, 0, 0);
    return patched(file, 41 + length, ...checksum(file.subarray(37, 41 + length)));
  }

  function checksum(data: Uint8Array): number[] {
    const crc = crc32(data);
    return [24, 16, 8, 0].map((shift) => (crc >>> shift) & 255);
  }
});

describe('WebP', () => {
  const { bytes } = picture('webp lossy');
  const lossless = picture('webp lossless').bytes;
  const beside = picture('webp frame beside its canvas').bytes;
  test.each([
    ['no key frame', patched(bytes, 23, 0, 0, 0)],
    ['no pixels', patched(bytes, 26, 0, 0)],
    ['only an unknown chunk', patched(bytes, 12, 0x41, 0x42)],
    ['a chunk longer than the file', patched(bytes, 16, 0xff, 0xff, 0xff)],
    ['noise instead of pixels', bytes.map((byte, i) => (i < 30 ? byte : (i * 77) & 255)).fill(255, 30, 60)],
    ['a wrong lossless signature', patched(lossless, 20, 0)],
    ['lossless noise', lossless.map((byte, i) => (i < 25 ? byte : (i * 151 + 13) & 255))],
    ['a frame beyond its canvas', patched(beside, indexOf(beside, 'ANMF') + 8, 200)],
  ])('%s', (_, file) => expectMalformed(file));
});

describe('GIF', () => {
  const { bytes } = picture('gif');
  const image = indexOf(bytes, [0x2c], 13 + (3 << (((bytes[10] ?? 0) & 7) + 1)));
  test.each([
    ['no pixels', patched(bytes, image + 5, 0, 0)],
    ['an unknown block', patched(bytes, image, 0x2d)],
    ['a trailer instead of a frame', patched(bytes, image, 0x3b)],
    ['a code size of 12', patched(bytes, image + 10, 12)],
    ['fewer rows of data than its header claims', patched(bytes, image + 7, 45)],
    ['a terminator in its data', patched(bytes, image + 11, 0)],
    ['codes that are not yet defined', patched(bytes, image + 12, ...new Array(20).fill(0xff))],
  ])('%s', (_, file) => expectMalformed(file));
});

test('a photo with broken EXIF is decoded as stored', async () => {
  const { bytes, spec } = picture('jpeg orientation 6 MM');
  const stored = await toTensor(picture('jpeg orientation 1 MM').bytes, spec);
  const entry = indexOf(bytes, 'Exif') + 6;
  for (const file of [patched(bytes, entry, 0), patched(bytes, entry + 4, 0xff), patched(bytes, entry + 19, 9)]) {
    expect((await toTensor(file, spec)).data).toEqual(stored.data);
  }
});

test('hundreds of broken files do not grow the memory', async () => {
  const { bytes } = picture('jpeg progressive');
  const decodeAll = async () => {
    for (const [step, first, second] of [
      [61, 37, 91],
      [53, 41, 83],
    ] as const) {
      for (let i = 0; i < 300; i++) {
        const at = 4 + ((i * step) % (bytes.length - 6));
        await outcome(patched(bytes, at, (i * first) & 255, (i * second) & 255));
      }
    }
    return heldBytes(codecs);
  };
  // A changed header may announce a larger picture, for which memory grows once. The same files need no more again.
  const held = await decodeAll();
  for (let round = 0; round < 3; round++) expect(await decodeAll()).toBeLessThanOrEqual(held);
});
