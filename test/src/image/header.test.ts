import { describe, expect, test } from 'vitest';
import { type Codec, findCodec, type Header } from '../../../src/image/codec.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { readOrientation } from '../../../src/image/exif.ts';
import { gif } from '../../../src/image/gif/codec.ts';
import { jpeg } from '../../../src/image/jpeg/codec.ts';
import { png } from '../../../src/image/png/codec.ts';
import { webp } from '../../../src/image/webp/codec.ts';
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

describe('EXIF', () => {
  const block = (order: 'II' | 'MM', entries: readonly (readonly [tag: number, type: number, value: number])[]) => {
    const little = order === 'II';
    const view = new DataView(new ArrayBuffer(10 + entries.length * 12));
    view.setUint16(0, little ? 0x4949 : 0x4d4d);
    view.setUint16(2, 42, little);
    view.setUint32(4, 8, little);
    view.setUint16(8, entries.length, little);
    for (const [i, [tag, type, value]] of entries.entries()) {
      view.setUint16(10 + i * 12, tag, little);
      view.setUint16(12 + i * 12, type, little);
      view.setUint32(14 + i * 12, 1, little);
      view.setUint16(18 + i * 12, value, little);
    }
    return new Uint8Array(view.buffer);
  };

  test.each(['II', 'MM'] as const)('the orientation is found among other tags (%s)', (order) => {
    const others = [
      [271, 2, 0],
      [272, 2, 0],
    ] as const;
    for (let value = 1; value <= 8; value++) {
      expect(readOrientation(block(order, [...others, [274, 3, value], [282, 5, 0]]))).toBe(value);
    }
  });

  test('a missing or invalid orientation counts as 1', () => {
    expect(readOrientation(block('II', []))).toBe(1);
    expect(readOrientation(block('II', [[274, 3, 0]]))).toBe(1);
    expect(readOrientation(block('MM', [[274, 3, 9]]))).toBe(1);
    expect(readOrientation(block('MM', [[274, 4, 6]]))).toBe(1);
    expect(readOrientation(block('MM', [[274, 3, 6]]).slice(0, 15))).toBe(1);
    expect(readOrientation(new Uint8Array(0))).toBe(1);
    expect(readOrientation(new Uint8Array(64).fill(0x49))).toBe(1);
  });
});
