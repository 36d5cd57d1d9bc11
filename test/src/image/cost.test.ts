import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Codec, Header } from '../../../src/image/codec.ts';
import { gif } from '../../../src/image/gif/codec.ts';
import { jpeg } from '../../../src/image/jpeg/codec.ts';
import { Pacer } from '../../../src/image/pacer.ts';
import { png } from '../../../src/image/png/codec.ts';
import { PreparedPhoto } from '../../../src/image/prepared-photo.ts';
import { webp } from '../../../src/image/webp/codec.ts';
import { encodePng } from '../../pictures/png.ts';
import { picture, pictures, SPEC, toPhoto } from '../pictures/pictures.ts';

afterEach(() => vi.restoreAllMocks());

const TARGET = { width: 128, height: 128 };
const MEGAPIXEL = { width: 1000, height: 1000 };

/** Asserts that each change of a header adds to the estimate, and returns by how much, in nanoseconds. */
function added<H extends Header>(codec: Codec<H>, name: string, change: (header: H) => Partial<H>): number {
  const header = codec.readHeader(picture(name).bytes);
  const changed = { ...header, ...change(header) };
  return (codec.decodeMilliseconds(changed, TARGET) - codec.decodeMilliseconds(header, TARGET)) * 1e6;
}

describe('what costs time is in the estimate: at least this many nanoseconds', () => {
  const frame = { x: 0, y: 0, ...MEGAPIXEL };
  const scans = (count: number) =>
    Array.from({ length: count }, () => ({ from: 0, to: 0, components: 3, detail: false }));
  test.each([
    ['PNG, a million pixels', 10e6, added(png, 'png rgb 8', () => MEGAPIXEL)],
    ['PNG, a million rows', 300e6, added(png, 'png grey 1', () => ({ width: 1, height: 1_000_000 }))],
    [
      'PNG, a million rows in passes',
      600e6,
      added(png, 'png rgb 8 interlaced', () => ({ width: 8, height: 1_000_000 })),
    ],
    ['PNG, a million chunks', 200e6, added(png, 'png rgb 8', ({ chunks }) => ({ chunks: chunks + 1_000_000 }))],
    [
      'PNG, a million bytes',
      40e6,
      added(png, 'png rgb 8', ({ data }) => ({ data: { ...data, to: data.to + 1_000_000 } })),
    ],
    ['GIF, a million pixels', 6e6, added(gif, 'gif', () => ({ ...MEGAPIXEL, frame }))],
    [
      'GIF, a canvas of a million pixels',
      5e6,
      added(gif, 'gif', ({ frame: { height } }) => ({ width: 1_000_000 / height })),
    ],
    ['GIF, a million bytes', 15e6, added(gif, 'gif', ({ dataBytes }) => ({ dataBytes: dataBytes + 1_000_000 }))],
    ['JPEG, a million pixels', 1e6, added(jpeg, 'jpeg 4:4:4', () => MEGAPIXEL)],
    ['JPEG, a million bytes', 15e6, added(jpeg, 'jpeg 4:4:4', ({ end }) => ({ end: end + 1_000_000 }))],
    ['JPEG, a million segments', 100e6, added(jpeg, 'jpeg 4:4:4', () => ({ segments: 1_000_000 }))],
    [
      'progressive JPEG, a million bytes',
      30e6,
      added(jpeg, 'jpeg progressive', ({ end }) => ({ end: end + 1_000_000 })),
    ],
    [
      'progressive JPEG, 100 scans of a megapixel',
      40e6,
      added(jpeg, 'jpeg progressive', () => ({ ...MEGAPIXEL, scans: scans(100) })),
    ],
    ['WebP, a million pixels', 50e6, added(webp, 'webp lossy', () => ({ ...MEGAPIXEL, frame }))],
    [
      'WebP, a canvas of a million pixels',
      5e6,
      added(webp, 'webp lossy', ({ frame: { height } }) => ({ width: 1_000_000 / height })),
    ],
    [
      'WebP, a million bytes',
      50e6,
      added(webp, 'webp lossy', ({ picture: { length } }) => ({ picture: new Uint8Array(length + 1_000_000) })),
    ],
    ['WebP, a megabyte of prefix codes', 2e6, added(webp, 'webp lossless', () => ({ prefixCodeBytes: 1_000_000 }))],
  ])('%s', (_, least, nanoseconds) => {
    expect(nanoseconds).toBeGreaterThan(least);
  });
});

test('the work that a decoder of our own counts is the estimate, short of what it does before', async () => {
  const own = pictures.filter(({ name }) => /^(png|gif)/.test(name));
  const resized = own.map(({ spec, ...rest }) => ({ ...rest, spec: { ...spec, resize: 'fit', color: 'L' } as const }));
  for (const { name, bytes, spec } of [...own, ...resized]) {
    const count = vi.spyOn(Pacer.prototype, 'count');
    const photo = new PreparedPhoto(toPhoto(bytes), spec);
    const estimate = photo.decodeMilliseconds;
    await photo.toTensor();
    const counted = count.mock.calls.reduce((sum, [nanoseconds]) => sum + nanoseconds, 0) / 1e6;
    expect(counted, name).toBeLessThanOrEqual(estimate);
    expect(counted, name).toBeGreaterThan(estimate / 4);
    count.mockRestore();
  }
});

test.each([
  ['that its decoder does not scale', 'png rgb 8', 128, true],
  ['that is small', 'jpeg 4:4:4', 128, true],
  ['that its decoder scales', 'jpeg 4:4:4', 4, false],
])('the estimate covers the resampling of a photo %s', (_, name, side, isResampled) => {
  const photo = toPhoto(picture(name).bytes);
  const spec = { ...SPEC, width: side, height: side };
  const decoding = photo.codec.decodeMilliseconds(photo.codec.readHeader(photo.bytes), spec);
  const total = new PreparedPhoto(photo, spec).decodeMilliseconds;
  if (isResampled) expect(total).toBeGreaterThan(decoding + 0.1);
  else expect(total).toBe(decoding);
});

test('a long decode pauses in proportion to its estimate, and a short one does not', async () => {
  const pause = vi.fn(() => scheduler.wait(0));
  await new PreparedPhoto(toPhoto(picture('png rgb 8').bytes), SPEC).toTensor(pause);
  await new PreparedPhoto(toPhoto(picture('gif').bytes), SPEC).toTensor(pause);
  expect(pause).not.toHaveBeenCalled();

  const [width, height] = [4000, 1500];
  const large = await encodePng(width, height, new Uint8Array(height * (1 + 3 * width)));
  const photo = new PreparedPhoto(toPhoto(large), SPEC);
  let others = 0;
  const timer = setInterval(() => others++, 0);
  await photo.toTensor(pause);
  clearInterval(timer);
  const pauses = pause.mock.calls.length;
  expect(pauses).toBeGreaterThan(2);
  expect(pauses).toBeLessThanOrEqual(photo.decodeMilliseconds / 25);
  expect(others).toBeGreaterThan(1);
});

test('the rows around a frame are reduced once, whatever the canvas', async () => {
  const bytes = picture('gif').bytes.slice();
  new DataView(bytes.buffer).setUint16(6, 20_000, true);
  new DataView(bytes.buffer).setUint16(8, 60_000, true);
  const photo = new PreparedPhoto(toPhoto(bytes), SPEC);
  expect(photo.decodeMilliseconds).toBeLessThan(150);
  expect((await photo.toTensor()).data).toHaveLength(SPEC.width * SPEC.height * 3);
});
