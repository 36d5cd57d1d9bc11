import libavifScript from '@jsquash/avif/codec/dec/avif_dec.js?raw';
import libheifScript from 'libheif-js/libheif-wasm/libheif.js?raw';
import dav1dScript from 'ogv/dist/ogv-decoder-video-av1-simd-wasm.js?raw';
import { describe, expect, test } from 'vitest';
import { MalformedImage, UnsupportedMediaType } from '../../../src/errors.ts';
import { avif } from '../../../src/image/avif/codec.ts';
import { DAV1D_NAMES } from '../../../src/image/avif/dav1d.ts';
import { LIBAVIF_NAMES } from '../../../src/image/avif/libavif.ts';
import { findCodec, type Size } from '../../../src/image/codec.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { heic } from '../../../src/image/heic/codec.ts';
import { LIBDE265_NAMES } from '../../../src/image/heic/libde265.ts';
import { clap, codedPicture, type HeifOptions, ORIENTING, writeHeif } from '../../pictures/heif.ts';
import heif from '../pictures/heif.json' with { type: 'json' };
import { heifGrids } from '../pictures/heif-grids.ts';
import { difference, expectedBytes, fromBase64, outcome, picture, SPEC, toTensor } from '../pictures/pictures.ts';

function single(name: string) {
  const found = heif.upright.find((each) => each.name === name);
  return codedPicture(fromBase64(found?.file ?? ''));
}

function grid(name: string) {
  const found = heifGrids.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
}

const { bytes: photo } = picture('avif 4:2:0');

describe.each(['avif', 'heic'])('%s', (format) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('orientation %i', async (orientation) => {
    const transforms = ORIENTING[orientation] ?? [];
    const upright = writeHeif([single(format)], { transforms: [clap(40, 24, ...offset(format)), ...transforms] });
    const { data, width, height } = await toTensor(upright);
    expect({ width, height }).toEqual(orientation < 5 ? { width: 40, height: 24 } : { width: 24, height: 40 });
    const turned = heif.upright.find(({ name }) => name === format)?.turned[orientation - 1];
    expect(difference(data, expectedBytes(turned ?? '')).mean).toBeLessThan(0.5);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('a crop after orientation %i', async (orientation) => {
    const transforms = ORIENTING[orientation] ?? [];
    const [columns, rows] = single(format).size;
    const [width, height] = orientation < 5 ? [columns, rows] : [rows, columns];
    const whole = await toTensor(writeHeif([single(format)], { transforms }), { ...SPEC, width, height });
    const file = writeHeif([single(format)], { transforms: [...transforms, clap(16, 12, 6, -8)] });
    const cropped = await toTensor(file, { ...SPEC, width: 16, height: 12 });
    const [left, top] = [(width - 16) / 2 + 3, (height - 12) / 2 - 4];
    const part = Array.from({ length: 12 }, (_, y) => {
      const from = ((top + y) * width + left) * 3;
      return [...whole.data.subarray(from, from + 48)];
    });
    expect([...cropped.data]).toEqual(part.flat());
  });

  test('a crop that extends beyond the picture', async () => {
    const plain = await toTensor(writeHeif([single(format)]));
    expect(await toTensor(writeHeif([single(format)], { transforms: [clap(400, 300)] }))).toEqual(plain);
  });

  test('brands of both codings', async () => {
    const plain = await toTensor(writeHeif([single(format)]));
    expect(await toTensor(writeHeif([single(format)], { brand: 'heicavif' }))).toEqual(plain);
  });

  test('its own orientation wins over EXIF', async () => {
    const plain = await toTensor(writeHeif([single(format)]));
    expect(await toTensor(writeHeif([single(format)], { exif: 6 }))).toEqual(plain);
  });

  test.each([
    ['extents', { extents: 3 }],
    ['data inside of the index', { inside: true }],
    ['a general brand', { brand: 'mif1' }],
  ] as const)('%s', async (_, options) => {
    const plain = await toTensor(writeHeif([single(format)]));
    expect(await toTensor(writeHeif([single(format)], options))).toEqual(plain);
  });
});

test.each(['avif 4:2:0', 'avif 4:4:4', 'avif grey', 'avif limited range'])(
  'the colour of %s comes from its coded data if the container has none',
  async (name) => {
    const coded = codedPicture(picture(name).bytes);
    const bare = writeHeif([{ ...coded, colour: undefined }]);
    expect(avif.readHeader(bare).plain?.colour).toEqual(coded.colour);
    expect(await toTensor(bare)).toEqual(await toTensor(writeHeif([coded])));
  },
);

/** The encoder of HEIC fills its picture up to 64 pixels, at the right and at the bottom. */
function offset(format: string): [number, number] {
  const { size } = single(format);
  return [40 - size[0], 24 - size[1]];
}

describe.each(heifGrids.map(({ name }) => name))('a grid of tiles: %s', (name) => {
  const { tiles, grid: size, expected } = grid(name);

  test('is put together', async () => {
    const { data, width, height } = await toTensor(writeHeif(tiles, { grid: size }));
    expect({ width, height }).toEqual({ width: 120, height: 100 });
    expect(difference(data, expected).mean).toBeLessThan(1.5);
  });

  test.each([2, 3, 4, 5, 6, 7, 8])('is turned upright from orientation %i', async (orientation) => {
    const [width, height] = orientation < 5 ? [120, 100] : [100, 120];
    const file = writeHeif(tiles, { grid: size, transforms: ORIENTING[orientation] ?? [] });
    const turned = await toTensor(file, { ...SPEC, width, height });
    const stored = await toTensor(writeHeif(tiles, { grid: size }), { ...SPEC, width: 120, height: 100 });
    expect(turned.data).toEqual(turn(stored.data, { width, height }, orientation));
  });

  test('is cropped across tiles', async () => {
    const cropped = await toTensor(writeHeif(tiles, { grid: size, transforms: [clap(16, 16, 8, 28)] }));
    const whole = await toTensor(writeHeif(tiles, { grid: size }), { ...SPEC, width: 120, height: 100 });
    const part = Array.from({ length: 16 }, (_, y) => {
      const from = ((56 + y) * 120 + 56) * 3;
      return [...whole.data.subarray(from, from + 48)];
    });
    expect([...cropped.data]).toEqual(part.flat());
  });
});

/** Turns a stored tensor upright. `width` and `height` are the upright ones. */
function turn(stored: Float32Array, { width, height }: Size, orientation: number): Float32Array {
  const columns = orientation < 5 ? width : height;
  const pixel = (x: number, y: number) => [...stored.subarray((y * columns + x) * 3, (y * columns + x) * 3 + 3)];
  const [right, bottom] = [width - 1, height - 1];
  const source: Record<number, (x: number, y: number) => number[]> = {
    2: (x, y) => pixel(right - x, y),
    3: (x, y) => pixel(right - x, bottom - y),
    4: (x, y) => pixel(x, bottom - y),
    5: (x, y) => pixel(y, x),
    6: (x, y) => pixel(y, right - x),
    7: (x, y) => pixel(bottom - y, right - x),
    8: (x, y) => pixel(bottom - y, x),
  };
  const all = Array.from({ length: width * height }, (_, i) => {
    return source[orientation]?.(i % width, Math.floor(i / width)) ?? [];
  });
  return Float32Array.from(all.flat());
}

describe('a file that cannot be decoded', () => {
  test.each([
    ['H.264', 'avc1'],
    ['JPEG 2000', 'j2k1'],
    ['H.266', 'vvc1'],
  ])('is refused by name: %s', async (name, type) => {
    const file = writeHeif([single('heic')], { type, brand: 'heic' });
    expect(() => heic.readHeader(file)).toThrow(UnsupportedMediaType);
    expect(() => heic.readHeader(file)).toThrow(name);
  });

  const tiles = grid('heic');
  const malformed: [string, Uint8Array][] = [
    ['no picture', photo.subarray(0, 40)],
    ['cut off', photo.subarray(0, -20)],
    ['too few tiles', writeHeif(tiles.tiles.slice(0, 2), { grid: { ...tiles.grid, height: 100 } })],
    ['a grid larger than its tiles', writeHeif(tiles.tiles, { grid: { ...tiles.grid, width: 200 } })],
    ['tiles outside of the grid', writeHeif(tiles.tiles, { grid: { ...tiles.grid, width: 60 } })],
    ['a crop outside of the picture', writeHeif([single('avif')], { transforms: [clap(16, 16, 200, 0)] })],
    ['a crop of no size', writeHeif([single('avif')], { transforms: [clap(0, 16)] })],
    ['no HEVC in HEVC', writeHeif([{ ...single('heic'), data: single('avif').data }])],
    ['no AV1 in AV1', writeHeif([{ ...single('avif'), data: single('heic').data }])],
    ['another size than announced', writeHeif([{ ...single('heic'), size: [128, 128] }])],
    ['another AV1 size than announced', writeHeif([{ ...single('avif'), size: [128, 128] }])],
    ['two pictures in one', writeHeif([twice('heic')])],
    ['six frames in one', writeHeif([twice(twice(twice('avif')))])],
  ];
  test.each(malformed)('%s', async (_, file) => {
    expect(await outcome(file)).toBeInstanceOf(MalformedImage);
  });
});

// dav1d prints why it fails. If the import that writes reported neither success nor failure, its C library would retry
// until it trapped, or without end.
test.each(['avif 4:2:0', 'avif 4:4:4'])('a decoder that prints an error fails without a trap: %s', async (name) => {
  const coded = codedPicture(picture(name).bytes);
  // The sequence header starts after a temporal delimiter of two bytes and two bytes of its own.
  const data = coded.data.slice().fill(0xff, 4, 12);
  const error = await outcome(writeHeif([{ ...coded, data }]));
  expect(error).toBeInstanceOf(MalformedImage);
  expect(error instanceof Error && error.cause).toBeUndefined();
});

function twice(coded: string | ReturnType<typeof single>): ReturnType<typeof single> {
  const original = typeof coded === 'string' ? single(coded) : coded;
  return { ...original, data: Uint8Array.of(...original.data, ...original.data) };
}

test('videos and other files of the same container are not pictures', () => {
  const file = (options: HeifOptions) => writeHeif([single('heic')], options);
  expect(findCodec(codecs, file({ brand: 'isom' }))?.format).toBe('heic');
  expect(findCodec(codecs, Uint8Array.of(...new TextEncoder().encode('\0\0\0\x10ftypqt  \0\0\0\0')))).toBeUndefined();
});

describe("the modules' short names are those of the locked packages", () => {
  test('libde265', () => {
    for (const [name, short] of Object.entries(LIBDE265_NAMES.exports)) {
      expect(libheifScript).toMatch(new RegExp(`\\._${name}=\\w+\\.${short}\\b`));
    }
    const [, write] = new RegExp(`[{,]${LIBDE265_NAMES.imports.write}:(\\w+)[,}]`).exec(libheifScript) ?? [];
    const [, writeAll] = new RegExp(`function ${write}\\([\\w,]+\\)\\{try\\{[^}]*=(\\w+)\\(`).exec(libheifScript) ?? [];
    expect(libheifScript).toMatch(new RegExp(`\\b${writeAll}=\\([\\w,]+\\)=>\\{[^}]*\\.write\\(`));
  });

  test('dav1d', () => {
    for (const [name, short] of Object.entries(DAV1D_NAMES.exports)) {
      expect(dav1dScript).toMatch(new RegExp(`\\._${name}=(\\w+)\\.${short}\\)`));
    }
    expect(dav1dScript).toMatch(
      new RegExp(`[{,]\\s*${DAV1D_NAMES.imports.write}:\\(\\w+,\\w+,\\w+,\\w+\\)=>\\{for\\(`),
    );
  });

  test('libavif', () => {
    const { exports, imports, memory, table, constructors } = LIBAVIF_NAMES;
    for (const [name, short] of Object.entries(exports)) {
      expect(libavifScript).toContain(`(_${name}=wasmExports["${short}"])`);
    }
    expect(libavifScript).toContain(`wasmMemory=wasmExports["${memory}"]`);
    expect(libavifScript).toContain(`wasmTable=wasmExports["${table}"]`);
    expect(libavifScript).toContain(`addOnInit(wasmExports["${constructors}"])`);
    const linked = /wasmImports=\{(.*?)\}/.exec(libavifScript)?.[1]?.split(',') ?? [];
    expect(linked).toEqual(
      expect.arrayContaining([
        `${imports.abort}:_abort`,
        `${imports.longjmp}:__emscripten_throw_longjmp`,
        `${imports.grow}:_emscripten_resize_heap`,
        `${imports.write}:_fd_write`,
        `${imports.registerFunction}:__embind_register_function`,
        `${imports.callValue}:__emval_call`,
      ]),
    );
    const invokers = linked.filter((each) => each.includes(':invoke_')).map((each) => each.split(':')[0]);
    expect(invokers.toSorted()).toEqual([...imports.invoke].toSorted());
  });
});
