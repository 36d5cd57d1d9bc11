import { expect, test } from 'vitest';
import { ImageTooLarge, MalformedImage } from '../../../src/errors.ts';
import { heldBytes, idleBytes } from '../../../src/image/budget.ts';
import { findCodec } from '../../../src/image/codec.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { PreparedPhoto } from '../../../src/image/prepared-photo.ts';
import { pictures, SPEC } from '../pictures/pictures.ts';
import { toy, toyFile } from './toy/codec.ts';

const withToy = [...codecs, toy];
const LIMITS = { bytes: 50_000_000, milliseconds: 1_000 };
const file = toyFile(100, 60, [51, 102, 255]);

function prepare(bytes: Uint8Array): PreparedPhoto {
  return new PreparedPhoto({ codecs: withToy, codec: toy, bytes }, SPEC);
}

test('a codec in the list is found by its signature and hides no other', () => {
  expect(findCodec(codecs, file)).toBeUndefined();
  expect(findCodec(withToy, file)).toBe(toy);
  for (const { bytes } of pictures) expect(findCodec(withToy, bytes)).toBe(findCodec(codecs, bytes));
});

test('its photos become tensors', async () => {
  const { data, ...rest } = await prepare(file).toTensor();
  expect(rest).toEqual({ format: 'toy', width: 100, height: 60 });
  expect([...data]).toEqual(Array.from({ length: 256 }, () => [0.2, 0.4, 1].map(Math.fround)).flat());
  expect(() => prepare(file.subarray(0, -1))).toThrow(MalformedImage);
});

test('its memory is budgeted, and dropped when a photo needs the room', async () => {
  toy.idle?.drop();
  const held = heldBytes(withToy);
  const prepared = prepare(file);
  expect(prepared.peakBytes).toBeGreaterThan(100 * 60 * 3);
  await prepared.toTensor();
  expect(heldBytes(withToy)).toBe(held + 100 * 60 * 3);
  prepared.makeRoom({ ...LIMITS, bytes: prepared.peakBytes });
  expect(heldBytes(withToy)).toBe(held + 100 * 60 * 3);
  prepared.makeRoom({ ...LIMITS, bytes: prepared.peakBytes - 100 * 60 * 3 });
  expect(idleBytes(withToy)).toBe(0);
});

test('its photos are limited in memory and time', () => {
  const prepared = prepare(file);
  expect(() => prepared.makeRoom({ ...LIMITS, bytes: prepared.peakBytes - idleBytes(withToy) - 1 })).toThrow(
    ImageTooLarge,
  );
  expect(() => prepare(toyFile(1200, 1000, [0, 0, 0])).makeRoom(LIMITS)).toThrow(
    /^This Toy has 1\.2 megapixels; up to 0\.9 would fit\.$/,
  );
});
