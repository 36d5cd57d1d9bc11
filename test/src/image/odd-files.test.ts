import { describe, expect, test } from 'vitest';
import { MalformedImage, UnsupportedMediaType } from '../../../src/errors.ts';
import {
  concat,
  extendWebp,
  joinPng,
  type PngChunk,
  rawProfile,
  splitPng,
  tiff,
  withApp1,
  xmp,
} from '../../pictures/containers.ts';
import { deflate, utf8 } from '../../pictures/png.ts';
import { outcome, picture, SPEC, toTensor } from '../pictures/pictures.ts';

/** Files that are valid, or that libraries and browsers forgive, and that show the same picture as a plain one. */

const jpeg = picture('jpeg 4:2:0').bytes;
const png = picture('png rgb 8').bytes;
const webp = picture('webp lossy').bytes;
const gif = picture('gif').bytes;

/** The tensor's values with the picture turned as orientation 6 says: 90 degrees clockwise. */
async function turned(bytes: Uint8Array): Promise<Float32Array> {
  const { width: side } = SPEC;
  const { data } = await toTensor(bytes);
  const result = new Float32Array(data.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = ((side - 1 - x) * side + y) * 3;
      result.set(data.subarray(from, from + 3), (y * side + x) * 3);
    }
  }
  return result;
}

/** Asserts that both files show the same. */
async function expectSame(bytes: Uint8Array, plain: Uint8Array): Promise<void> {
  expect((await toTensor(bytes)).data).toEqual((await toTensor(plain)).data);
}

/** As in Pillow, which axis is resampled first, and clipped then, depends on the upright shape. */
async function expectTurned(bytes: Uint8Array, plain: Uint8Array): Promise<void> {
  const { data, width, height } = await toTensor(bytes);
  const stored = await toTensor(plain);
  expect({ width, height }).toEqual({ width: stored.height, height: stored.width });
  const expected = await turned(plain);
  expect(data).toHaveLength(expected.length);
  expect(Math.max(...data.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) * 255))).toBeLessThan(4);
}

describe('a JPEG of one scan needs no end marker', () => {
  const scan = jpeg.slice(0, -2);
  test.each([
    ['none', scan],
    ['half of it', jpeg.slice(0, -1)],
    ['zeros in its place', concat(scan, new Uint8Array(50))],
  ])('%s', async (_, bytes) => {
    await expectSame(bytes, jpeg);
  });

  test('a progressive one does', async () => {
    const { bytes } = picture('jpeg progressive');
    expect(await outcome(bytes.slice(0, -2))).toBeInstanceOf(MalformedImage);
  });
});

describe('the orientation is found', () => {
  const exif = concat(utf8('Exif\0\0'), tiff(6));
  const packet = (text: string) => utf8(`http://ns.adobe.com/xap/1.0/\0${text}`);
  const empty = utf8('<x:xmpmeta/>');
  test.each([
    ['EXIF', withApp1(jpeg, exif)],
    ['EXIF with its prefix twice', withApp1(jpeg, concat(utf8('Exif\0\0'), exif))],
    ['EXIF that begins with an empty segment', withApp1(jpeg, utf8('Exif\0\0'), exif)],
    ['EXIF in two segments', withApp1(jpeg, exif.slice(0, 20), concat(utf8('Exif\0\0'), exif.slice(20)))],
    ['XMP with an attribute', withApp1(jpeg, packet(xmp(6)))],
    ['XMP with an element', withApp1(jpeg, packet(xmp(6, 'element')))],
    ['EXIF without it, and XMP', withApp1(jpeg, exif.slice(0, 14), packet(xmp(6)))],
    ['EXIF, and XMP with another', withApp1(jpeg, packet(xmp(3)), exif)],
  ])('in a JPEG: %s', (_, file) => expectTurned(file, jpeg));

  test.each([
    ['EXIF', extendWebp(webp, { width: 60, height: 44 }, { EXIF: exif })],
    ['XMP with an attribute', extendWebp(webp, { width: 60, height: 44 }, { 'XMP ': utf8(xmp(6)) })],
    ['XMP with an element', extendWebp(webp, { width: 60, height: 44 }, { 'XMP ': utf8(xmp(6, 'element')) })],
    ['EXIF, and XMP without it', extendWebp(webp, { width: 60, height: 44 }, { EXIF: exif, 'XMP ': empty })],
  ])('in a WebP: %s', (_, file) => expectTurned(file, webp));

  test.each(['before', 'after'])('in text chunks of a PNG %s the image data', async (place) => {
    const profile = utf8('Raw profile type exif\0');
    const keyword = utf8('XML:com.adobe.xmp\0');
    const packed = await deflate(utf8(rawProfile(6)));
    const packedXmp = await deflate(utf8(xmp(6)));
    const chunks: PngChunk[] = [
      { type: 'eXIf', data: tiff(6) },
      { type: 'tEXt', data: concat(profile, utf8(rawProfile(6))) },
      { type: 'zTXt', data: concat(profile, utf8('\0'), packed) },
      { type: 'zTXt', data: concat(profile, utf8('\0'), packed.subarray(0, -4)) },
      { type: 'iTXt', data: concat(profile, utf8('\0\0\0\0'), utf8(rawProfile(6))) },
      { type: 'iTXt', data: concat(profile, utf8('\x01\0en\0Exif\0'), packed) },
      { type: 'iTXt', data: concat(keyword, utf8('\0\0\0\0'), utf8(xmp(6))) },
      { type: 'iTXt', data: concat(keyword, utf8('\0\0\0\0'), utf8(xmp(6, 'element'))) },
      { type: 'iTXt', data: concat(keyword, utf8('\x01\0\0\0'), packedXmp) },
      { type: 'tEXt', data: concat(keyword, utf8(xmp(6))) },
      { type: 'zTXt', data: concat(keyword, utf8('\0'), packedXmp) },
    ];
    for (const chunk of chunks) await expectTurned(inserted(chunk, place), png);
  });

  test('in eXIf rather than in a raw profile, and in the last of several texts', async () => {
    const [header, ...rest] = splitPng(png);
    const text = (orientation: number) => ({
      type: 'tEXt',
      data: utf8(`Raw profile type exif\0${rawProfile(orientation)}`),
    });
    const chunks = [text(3), { type: 'eXIf', data: tiff(6) }, text(8)];
    await expectTurned(joinPng([header as PngChunk, ...chunks, ...rest]), png);
    await expectTurned(joinPng([header as PngChunk, text(3), text(6), ...rest]), png);
  });

  test('not in a text that is damaged, too long or of an unknown method', async () => {
    const profile = utf8('Raw profile type exif\0');
    const packed = await deflate(utf8(rawProfile(6)));
    const bomb = await deflate(utf8(`${rawProfile(6)}${'0'.repeat(2_000_000)}`));
    for (const data of [
      profile,
      concat(profile, utf8('\0')),
      concat(profile, utf8('\x01'), packed),
      concat(profile, utf8('\0'), packed.toReversed()),
      concat(profile, utf8('\0'), bomb),
      concat(profile, utf8('\0'), packed, new Uint8Array(300_000)),
    ]) {
      await expectSame(inserted({ type: 'zTXt', data }), png);
    }
    for (const data of [profile, concat(profile, utf8('\0\0')), concat(profile, utf8('\x01\x01\0\0'), packed)]) {
      await expectSame(inserted({ type: 'iTXt', data }), png);
    }
    await expectSame(inserted({ type: 'tEXt', data: concat(profile, utf8('\nexif\n2\nzz')) }), png);
  });

  function inserted(chunk: PngChunk, place = 'before'): Uint8Array {
    const chunks = splitPng(png);
    return joinPng(chunks.toSpliced(place === 'before' ? 1 : -1, 0, chunk));
  }
});

describe('a PNG shows its picture', () => {
  const [header, ...rest] = splitPng(png) as [PngChunk, ...PngChunk[]];
  const data = { type: 'IDAT', data: concat(...rest.map((chunk) => chunk.data)) };
  const end = { type: 'IEND', data: new Uint8Array() };
  const half = data.data.length >> 1;
  const parts = [data.data.subarray(0, half), data.data.subarray(half)].map((part) => ({ type: 'IDAT', data: part }));
  const text = { type: 'tEXt', data: utf8('Comment\0a dog') };
  const nothing = { type: 'IDAT', data: new Uint8Array() };
  const wrong = (chunk: PngChunk): PngChunk => ({ ...chunk, crc: 1 });
  const whole = joinPng([header, data]);
  test.each([
    ['with a wrong CRC in an ancillary chunk before its data', joinPng([header, wrong(text), data, end])],
    ['with a wrong CRC in an ancillary chunk after its data', joinPng([header, data, wrong(text), end])],
    ['with a wrong CRC in eXIf', joinPng([header, wrong({ type: 'eXIf', data: tiff(6) }), data, end])],
    ['with a wrong CRC in its data', joinPng([header, wrong(data), end])],
    ['with a wrong CRC in its first data chunk', joinPng([header, ...parts.map(wrong).slice(0, 1), ...parts.slice(1)])],
    [
      'with a wrong CRC in its last data chunk',
      joinPng([header, ...parts.slice(0, 1), ...parts.map(wrong).slice(1), end]),
    ],
    ['with a wrong CRC in IEND', joinPng([header, data, wrong(end)])],
    ['without IEND', whole],
    ['cut off in the CRC of its data', whole.subarray(0, -3)],
    ['cut off before the CRC of its data', whole.subarray(0, -4)],
    ['cut off in the chunk after its data', joinPng([header, data, text]).subarray(0, -7)],
    ['followed by anything', concat(whole, utf8('\n<html>not a chunk</html>'))],
    ['with an empty second run of data', joinPng([header, data, text, nothing, end])],
    ['with a second run of other data', joinPng([header, data, text, ...parts, end])],
    ['with empty data chunks', joinPng([header, nothing, ...parts, nothing, end])],
  ])('%s', (_, file) => expectSame(file, png));
});

describe('a GIF shows its picture', () => {
  const table = 13 + (3 << (((gif[10] ?? 0) & 7) + 1));
  const control = Uint8Array.of(0x21, 0xf9, 4, 0, 0, 0, 0, 0);
  test.each([
    ['with a stray zero before its first block', [Uint8Array.of(0)]],
    ['with stray zeros between extensions', [control, new Uint8Array(3), control]],
    ['with many stray zeros', [control, new Uint8Array(100_000)]],
  ])('%s', (_, blocks) => expectSame(concat(gif.subarray(0, table), ...blocks, gif.subarray(table)), gif));
});

describe('a baseline JPEG shows its picture', () => {
  /** Replaces the range of coefficients in the scan header. */
  function withRange(bytes: Uint8Array, range: readonly number[]) {
    const copy = bytes.slice();
    const scan = copy.findIndex((byte, i) => byte === 0xff && copy[i + 1] === 0xda);
    copy.set(range, scan + 2 + (copy[scan + 3] ?? 0) - 3);
    return copy;
  }

  test.each([
    ['jpeg at 1/2', [1, 63, 0]],
    ['jpeg at 1/4', [1, 63, 0]],
    ['jpeg at 1/8', [1, 63, 0]],
    ['jpeg at 1/8', [0, 0, 0]],
    ['jpeg at 1/8', [5, 5, 0x11]],
  ])('%s, whose scan claims the coefficients %j', (name, range) => {
    const { bytes } = picture(name);
    return expectSame(withRange(bytes, range), bytes);
  });
});

describe('a file in a variant that no decoder here has is refused by its name', () => {
  const marked = (marker: number) => {
    const copy = jpeg.slice();
    copy[copy.findIndex((byte, i) => byte === 0xff && copy[i + 1] === 0xc0) + 1] = marker;
    return copy;
  };
  const deep = marked(0xc1);
  deep[deep.findIndex((byte, i) => byte === 0xff && deep[i + 1] === 0xc1) + 4] = 12;
  const [header, ...rest] = splitPng(png) as [PngChunk, ...PngChunk[]];
  test.each([
    ['Lossless JPEGs are not supported.', marked(0xc3)],
    ['Hierarchical JPEGs are not supported.', marked(0xc5)],
    ['Hierarchical JPEGs are not supported.', marked(0xde)],
    ['Arithmetic-coded JPEGs are not supported.', marked(0xc9)],
    ['Arithmetic-coded JPEGs are not supported.', marked(0xca)],
    ['Lossless arithmetic-coded JPEGs are not supported.', marked(0xcb)],
    ['JPEG-LS files are not supported.', marked(0xf7)],
    ['JPEGs with 12 bits per channel are not supported.', deep],
    ["Apple's CgBI variant", joinPng([{ type: 'CgBI', data: new Uint8Array(4) }, header, ...rest])],
  ])('%s', async (words, file) => {
    const failure = await outcome(file);
    expect(failure).toBeInstanceOf(UnsupportedMediaType);
    expect(failure).toHaveProperty('message', expect.stringContaining(words));
  });
});
