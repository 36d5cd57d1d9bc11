import { describe, expect, test } from 'vitest';
import { type Codec, findCodec, type Header } from '../../../src/image/codec.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { readOrientation } from '../../../src/image/exif.ts';
import { gif } from '../../../src/image/gif/codec.ts';
import { jpeg } from '../../../src/image/jpeg/codec.ts';
import { png } from '../../../src/image/png/codec.ts';
import { webp } from '../../../src/image/webp/codec.ts';
import { utf8 } from '../../pictures/png.ts';
import { picture, pictures } from '../pictures/pictures.ts';

function readHeader<H extends Header>(codec: Codec<H>, name: string): H {
  return codec.readHeader(picture(name).bytes);
}

test('the signature determines the codec', () => {
  for (const { name, bytes } of pictures) {
    expect(findCodec(codecs, bytes)?.format).toBe(name.split(' ', 1)[0]);
  }
  for (const text of ['', 'GIF', 'GIF88a', 'RIFF....WAVE', 'BM......', '<svg></svg>', '\x89PNG\r\n']) {
    expect(findCodec(codecs, new TextEncoder().encode(text))).toBeUndefined();
  }
});

describe('JPEG', () => {
  test.each([
    ['jpeg 4:2:0', { progressive: false, buffered: false, sampling: ['2x2', '1x1', '1x1'] }],
    ['jpeg 4:2:2', { progressive: false, buffered: false, sampling: ['2x1', '1x1', '1x1'] }],
    ['jpeg 4:4:4', { progressive: false, buffered: false, sampling: ['1x1', '1x1', '1x1'] }],
    ['jpeg grey', { progressive: false, buffered: false, sampling: ['1x1'] }],
    ['jpeg cmyk', { progressive: false, buffered: false, sampling: ['1x1', '1x1', '1x1', '1x1'] }],
    ['jpeg progressive', { progressive: true, buffered: true, sampling: ['2x2', '1x1', '1x1'] }],
  ])('%s', (name, expected) => {
    const { progressive, buffered, components } = readHeader(jpeg, name);
    const sampling = components.map(({ horizontal, vertical }) => `${horizontal}x${vertical}`);
    expect({ progressive, buffered, sampling }).toEqual(expected);
  });

  test('DC scans are distinguished from AC scans', () => {
    const header = readHeader(jpeg, 'jpeg progressive');
    expect(header.scans.length).toBeGreaterThan(4);
    expect(header.scans.filter(({ detail }) => !detail)).toHaveLength(2);
    expect(readHeader(jpeg, 'jpeg restart markers')).toMatchObject({
      scans: [{ components: 3, detail: false }],
    });
  });

  test('bytes after the end marker are ignored', () => {
    expect(readHeader(jpeg, 'jpeg with trailing bytes')).toMatchObject({
      end: picture('jpeg 4:2:0').bytes.length,
    });
  });
});

test('PNG', () => {
  expect(readHeader(png, 'png rgb-alpha 16 interlaced')).toMatchObject({
    width: 32,
    height: 24,
    depth: 16,
    colour: 'rgb-alpha',
    interlaced: true,
  });
  expect(readHeader(png, 'png palette 2')).toMatchObject({ depth: 2, colour: 'palette', interlaced: false });
});

test('WebP', () => {
  expect(readHeader(webp, 'webp lossy')).toMatchObject({ lossless: false, prefixCodeBytes: 0 });
  expect(readHeader(webp, 'webp lossless')).toMatchObject({ lossless: true });
  expect(readHeader(webp, 'webp frame beside its canvas')).toMatchObject({
    width: 90,
    height: 64,
    frame: { x: 10, y: 14, width: 60, height: 44 },
  });
});

test('GIF', () => {
  expect(readHeader(gif, 'gif frame beyond its canvas')).toMatchObject({
    width: 69,
    height: 48,
    frame: { x: 9, y: 4, width: 60, height: 44 },
  });
  expect(readHeader(gif, 'gif interlaced')).toMatchObject({ interlaced: true });
});

describe('orientation', () => {
  type Entry = readonly [tag: number, type: number, value: readonly number[]];

  /** A TIFF stream of one directory. A value that needs more than four bytes is its position. */
  const block = (order: 'II' | 'MM', entries: readonly Entry[], after: readonly number[] = []) => {
    const little = order === 'II';
    const view = new DataView(new ArrayBuffer(10 + entries.length * 12 + after.length));
    view.setUint16(0, little ? 0x4949 : 0x4d4d);
    view.setUint16(2, 42, little);
    view.setUint32(4, 8, little);
    view.setUint16(8, entries.length, little);
    const bytes = new Uint8Array(view.buffer);
    for (const [i, [tag, type, value]] of entries.entries()) {
      view.setUint16(10 + i * 12, tag, little);
      view.setUint16(12 + i * 12, type, little);
      view.setUint32(14 + i * 12, 1, little);
      bytes.set(value, 18 + i * 12);
    }
    bytes.set(after, 10 + entries.length * 12);
    return bytes;
  };
  const short = (order: 'II' | 'MM', value: number) => (order === 'II' ? [value, 0, 0, 0] : [0, value, 0, 0]);
  const long = (order: 'II' | 'MM', value: number) => (order === 'II' ? [value, 0, 0, 0] : [0, 0, 0, value]);
  const prefixed = (times: number, bytes: Uint8Array) => Uint8Array.from([...utf8('Exif\0\0'.repeat(times)), ...bytes]);
  const none = block('MM', [[271, 2, [0, 0, 0, 0]]]);

  test.each(['II', 'MM'] as const)('EXIF has it among other tags (%s)', (order) => {
    for (let value = 1; value <= 8; value++) {
      const exif = block(order, [
        [271, 2, [0, 0, 0, 0]],
        [272, 2, [0, 0, 0, 0]],
        [274, 3, short(order, value)],
        [282, 5, [0, 0, 0, 0]],
      ]);
      expect(readOrientation({ exif })).toBe(value);
    }
  });

  test.each(['II', 'MM'] as const)('EXIF has it as a number of another type (%s)', (order) => {
    const read = (type: number, value: readonly number[], after?: readonly number[]) =>
      readOrientation({ exif: block(order, [[274, type, value]], after) });
    expect(read(4, long(order, 6))).toBe(6);
    expect(read(9, long(order, 6))).toBe(6);
    expect(read(13, long(order, 6))).toBe(6);
    expect(read(8, short(order, 6))).toBe(6);
    expect(read(6, [6, 0, 0, 0])).toBe(6);
    expect(read(5, long(order, 22), [...long(order, 6), ...long(order, 1)])).toBe(6);
    expect(read(10, long(order, 22), [...long(order, 12), ...long(order, 2)])).toBe(6);
    expect(read(10, long(order, 22), [...long(order, 6), ...long(order, 4)])).toBe(1);
  });

  test("EXIF's prefix may be there once, twice or not at all, and 42 may be in the wrong byte order", () => {
    const exif = block('II', [[274, 3, short('II', 8)]]);
    for (const times of [0, 1, 2]) expect(readOrientation({ exif: prefixed(times, exif) })).toBe(8);
    const swapped = exif.slice();
    swapped.set([0, 42], 2);
    expect(readOrientation({ exif: swapped })).toBe(8);
  });

  test('a missing or invalid orientation counts as 1', () => {
    expect(readOrientation({})).toBe(1);
    for (const exif of [
      none,
      block('II', []),
      block('II', [[274, 3, short('II', 0)]]),
      block('MM', [[274, 3, short('MM', 9)]]),
      block('MM', [[274, 2, [0x36, 0, 0, 0]]]),
      block('MM', [[274, 4, short('MM', 6)]]),
      block('MM', [[274, 5, long('MM', 4_000)]]),
      block('MM', [[274, 3, short('MM', 6)]]).slice(0, 15),
      block('MM', [[274, 3, short('MM', 6)]]).fill(0, 14, 18),
      new Uint8Array(0),
      new Uint8Array(64).fill(0x49),
      prefixed(3, new Uint8Array(0)),
    ]) {
      expect(readOrientation({ exif })).toBe(1);
    }
  });

  test('XMP has it as an attribute or an element, and EXIF goes first', () => {
    const attribute = utf8('<rdf:Description tiff:Make="x" tiff:Orientation="6"/>');
    expect(readOrientation({ xmp: attribute })).toBe(6);
    expect(readOrientation({ xmp: utf8('<tiff:Orientation>8</tiff:Orientation>') })).toBe(8);
    for (const text of ['', '<tiff:Orientation/>', '<x tiff:Orientation="9"/>', '<x exif:Orientation="6"/>']) {
      expect(readOrientation({ xmp: utf8(text) })).toBe(1);
    }
    expect(readOrientation({ exif: none, xmp: attribute })).toBe(6);
    expect(readOrientation({ exif: none.slice(0, 12), xmp: attribute })).toBe(6);
    expect(readOrientation({ exif: block('II', [[274, 3, short('II', 3)]]), xmp: attribute })).toBe(3);
    expect(readOrientation({ exif: block('II', [[274, 3, short('II', 1)]]), xmp: attribute })).toBe(1);
    expect(readOrientation({ exif: block('II', [[274, 3, short('II', 9)]]), xmp: attribute })).toBe(1);
  });
});
