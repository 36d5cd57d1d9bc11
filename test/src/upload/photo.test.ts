import { expect, test } from 'vitest';
import { PhotoMemory } from '../../../src/memory.ts';
import { readPhoto } from '../../../src/upload/photo.ts';
import { solidPng } from '../../pictures/png.ts';
import { form, raw } from '../service.ts';

const limits = { maxBytes: 100_000, timeout: 60_000, idleTimeout: 60_000, patience: 0 };
const upload = (init: RequestInit, memory = new PhotoMemory(() => 1_000_000)) =>
  readPhoto(new Request('https://husky.test/', init), memory, limits, ['png']);

test('the photo of a form is a view of the body, not a second copy', async () => {
  const sent = await solidPng([1, 2, 3]);
  const { photo, lease } = await upload(form(sent));
  expect(photo.bytes).toEqual(sent);
  expect(photo.bytes.buffer.byteLength).toBe(lease.bytes);
});

test.each([
  ['a photo', async () => raw(await solidPng([1, 2, 3]))],
  ['no photo', async () => raw('text')],
  ['a form without one', async () => form(new Uint8Array(4), 'other')],
])('the place of %s is free again after it is done with', async (_, init) => {
  const memory = new PhotoMemory(() => 1_000_000);
  const { lease } = await upload(await init(), memory).catch(() => ({ lease: undefined }));
  lease?.release();
  expect(memory.usedBytes).toBe(0);
});

test('the name and the type that an upload claims do not matter', async () => {
  const png = await solidPng([1, 2, 3]);
  const { photo } = await upload(raw(png, 'image/jpeg'));
  expect(photo.format).toBe('png');
});
