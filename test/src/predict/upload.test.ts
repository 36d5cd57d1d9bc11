import { expect, test } from 'vitest';
import { toUploadSource } from '../../../src/http/upload-source.ts';
import { PhotoMemory } from '../../../src/memory.ts';
import { readUpload } from '../../../src/predict/upload.ts';
import { solidPng } from '../../pictures/png.ts';
import { form, raw } from '../service.ts';

const limits = { maxBytes: 100_000, timeout: 60_000, idleTimeout: 60_000, minRate: 0, grace: 0, patience: 0 };
async function upload(init: RequestInit, memory = new PhotoMemory(() => 1_000_000)) {
  return readUpload(toUploadSource(new Request('https://husky.test/', init)), memory, limits, 3);
}

function several(count: number): RequestInit {
  const body = new FormData();
  for (let file = 0; file < count; file++) body.append('file', new File([String(file)], 'photo.png'));
  return { method: 'POST', body };
}

test('the files of a form are read in order, up to the limit', async () => {
  const read = (count: number) =>
    readUpload(
      toUploadSource(new Request('https://husky.test/', several(count))),
      new PhotoMemory(() => 1_000_000),
      limits,
      3,
    );
  const { files } = await read(3);
  expect(files.map((file) => new TextDecoder().decode(file))).toEqual(['0', '1', '2']);
  await expect(read(4)).rejects.toMatchObject({ code: 'too_many_photos' });
});

test('the photo of a form is a view of the body, not a copy', async () => {
  const sent = await solidPng([1, 2, 3]);
  const { files, lease } = await upload(form(sent));
  expect(files).toEqual([sent]);
  expect(files[0].buffer.byteLength).toBe(lease.bytes);
});

test.each([
  ['a photo', async () => raw(await solidPng([1, 2, 3]))],
  ['too many photos', async () => several(4)],
  ['a form without one', async () => form(new Uint8Array(4), 'other')],
])('the memory of %s is free again afterwards', async (_, init) => {
  const memory = new PhotoMemory(() => 1_000_000);
  const { release } = await upload(await init(), memory).catch(() => ({ release: undefined }));
  release?.();
  expect(memory.usedBytes).toBe(0);
});
