import { expect, test } from 'vitest';
import { png } from '../../../src/image/png/codec.ts';
import { PhotoMemory } from '../../../src/memory.ts';
import { codecOf, readUpload } from '../../../src/upload/photo.ts';
import { solidPng } from '../../pictures/png.ts';
import { form, raw } from '../service.ts';

const limits = { maxBytes: 100_000, timeout: 60_000, idleTimeout: 60_000, patience: 0 };
async function upload(init: RequestInit, memory = new PhotoMemory(() => 1_000_000)) {
  const { files, lease, release } = await readUpload(
    new Request('https://husky.test/', init),
    memory,
    limits,
    3,
  );
  return { codec: codecOf(files[0], [png]), bytes: files[0], lease, release };
}

function several(count: number): RequestInit {
  const body = new FormData();
  for (let file = 0; file < count; file++) body.append('file', new File([String(file)], 'photo.png'));
  return { method: 'POST', body };
}

test('the files of a form come in order, up to as many as are allowed', async () => {
  const read = (count: number) =>
    readUpload(
      new Request('https://husky.test/', several(count)),
      new PhotoMemory(() => 1_000_000),
      limits,
      3,
    );
  const { files } = await read(3);
  expect(files.map((file) => new TextDecoder().decode(file))).toEqual(['0', '1', '2']);
  await expect(read(4)).rejects.toMatchObject({ code: 'too_many_photos' });
});

test('the photo of a form is a view of the body, not a second copy', async () => {
  const sent = await solidPng([1, 2, 3]);
  const { bytes, lease } = await upload(form(sent));
  expect(bytes).toEqual(sent);
  expect(bytes.buffer.byteLength).toBe(lease.bytes);
});

test.each([
  ['a photo', async () => raw(await solidPng([1, 2, 3]))],
  ['too many photos', async () => several(4)],
  ['a form without one', async () => form(new Uint8Array(4), 'other')],
])('the place of %s is free again after it is done with', async (_, init) => {
  const memory = new PhotoMemory(() => 1_000_000);
  const { release } = await upload(await init(), memory).catch(() => ({ release: undefined }));
  release?.();
  expect(memory.usedBytes).toBe(0);
});

test('the name and the type that an upload claims do not matter', async () => {
  const { codec } = await upload(raw(await solidPng([1, 2, 3]), 'image/jpeg'));
  expect(codec).toBe(png);
});
