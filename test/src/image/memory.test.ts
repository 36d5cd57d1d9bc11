import { expect, test } from 'vitest';
import { heldBytes, idleBytes } from '../../../src/image/budget.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { decodeJpeg, jpegDecoder } from '../../../src/image/jpeg/decode.ts';
import { readJpegHeader } from '../../../src/image/jpeg/header.ts';
import { PreparedPhoto } from '../../../src/image/prepared-photo.ts';
import { allocate, type CExports, KEPT_BYTES } from '../../../src/image/wasm-decoder.ts';
import { resizedJpeg } from '../../pictures/resized-jpeg.ts';
import { outcome, picture, SPEC, toPhoto, toTensor } from '../pictures/pictures.ts';

const large = resizedJpeg(picture('jpeg progressive').bytes, { width: 2000, height: 1500 });

test('a small decoder is kept, and one that has grown is dropped', async () => {
  await toTensor(picture('jpeg 4:2:0').bytes);
  const small = jpegDecoder.heldBytes;
  expect(small).toBeGreaterThan(0);
  await toTensor(picture('jpeg progressive').bytes);
  expect(jpegDecoder.heldBytes).toBe(small);
  decodeJpeg(large, readJpegHeader(large), SPEC);
  expect(jpegDecoder.lastBytes).toBeGreaterThan(KEPT_BYTES);
  expect(jpegDecoder.heldBytes).toBe(0);
});

test('a decoder that has failed is dropped', async () => {
  await toTensor(picture('jpeg 4:2:0').bytes);
  const broken = picture('jpeg 4:2:0').bytes.map((byte, i, all) =>
    all[i - 1] === 0xff && byte === 0xc4 ? 0xc5 : byte,
  );
  const before = jpegDecoder.heldBytes;
  expect(before).toBeGreaterThan(0);
  await outcome(broken);
  await toTensor(picture('jpeg 4:2:0').bytes);
  expect(jpegDecoder.heldBytes).toBeLessThanOrEqual(before);
});

test('idle decoders are dropped only if a photo needs the room', async () => {
  await toTensor(picture('jpeg 4:2:0').bytes);
  await toTensor(picture('webp lossy').bytes);
  const idle = idleBytes(codecs);
  expect(idle).toBeGreaterThan(0);
  const prepared = new PreparedPhoto(toPhoto(picture('webp reduced').bytes), SPEC);
  prepared.makeRoom({ bytes: prepared.peakBytes, milliseconds: 1_500 });
  expect(idleBytes(codecs)).toBe(idle);
  prepared.makeRoom({ bytes: prepared.peakBytes - idle, milliseconds: 1_500 });
  expect(idleBytes(codecs)).toBe(0);
});

test('repeated photos do not grow the memory', async () => {
  const names = ['jpeg 4:2:0', 'jpeg cmyk', 'webp lossy', 'webp lossless', 'png reduced', 'gif reduced'];
  for (const name of names) await toTensor(picture(name).bytes);
  const held = heldBytes(codecs);
  for (let i = 0; i < 100; i++) for (const name of names) await toTensor(picture(name).bytes);
  expect(heldBytes(codecs)).toBe(held);
});

test('dropped wasm memory is collected before it accumulates', async () => {
  const grow = (wasm: CExports) => {
    allocate(wasm, 2 * KEPT_BYTES);
    return new WeakRef(wasm.memory);
  };
  const memories = [jpegDecoder.use(grow), jpegDecoder.use(grow), jpegDecoder.use(grow)];
  // A weak reference keeps its target alive until the end of the turn that created it.
  await scheduler.wait(0);
  jpegDecoder.use(grow);
  expect(memories.map((memory) => memory.deref())).toEqual([undefined, undefined, undefined]);
});
