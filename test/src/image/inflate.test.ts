import { createInflate } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { MalformedImage } from '../../../src/errors.ts';
import { INFLATE_OPTIONS, inflate } from '../../../src/image/png/inflate.ts';
import { deflate } from '../../pictures/png.ts';
import { seeded } from '../../random.ts';

function* pieces(bytes: Uint8Array, size: number, onPiece: (length: number) => void = () => {}) {
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    onPiece(piece.length);
    yield piece;
  }
}

test('deflated data is restored, however it is split', async () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7);
  const packed = await deflate(bytes);
  for (const size of [1, 7, 4096, 100_000, packed.length]) {
    const out = new Uint8Array(bytes.length);
    let at = 0;
    for await (const block of inflate(pieces(packed, size))) {
      out.set(block, at);
      at += block.length;
    }
    expect(at).toBe(bytes.length);
    expect(out).toEqual(bytes);
  }
});

test('a bomb is inflated completely, and no faster than it is read', async () => {
  const packed = await deflate(new Uint8Array(60_000_000));
  // The same inflater pauses in the middle of a chunk when nobody reads.
  const inflater = createInflate(INFLATE_OPTIONS);
  inflater.write(packed);
  await scheduler.wait(100);
  expect(inflater.readableLength).toBeGreaterThan(0);
  expect(inflater.readableLength).toBeLessThanOrEqual(2 * INFLATE_OPTIONS.chunkSize);
  inflater.destroy();

  let read = 0;
  for await (const block of inflate([packed])) read += block.length;
  expect(read).toBe(60_000_000);
});

test('data in tiny parts is written in large ones, since each write costs objects and calls', async () => {
  const random = seeded(4);
  const packed = await deflate(Uint8Array.from({ length: 300_000 }, () => random() * 256));
  const write = vi.spyOn(createInflate(INFLATE_OPTIONS).constructor.prototype, 'write');
  let read = 0;
  for await (const block of inflate(pieces(packed, 1))) read += block.length;
  expect(read).toBe(300_000);
  expect(write.mock.calls.length).toBe(Math.ceil(packed.length / 65_536));
  write.mockRestore();
});

test('when the reader stops early, the rest of the input is not consumed', async () => {
  const random = seeded(3);
  const packed = await deflate(Uint8Array.from({ length: 2_000_000 }, () => random() * 256));
  let taken = 0;
  for await (const block of inflate(pieces(packed, 1000, (length) => (taken += length)))) {
    expect(block.length).toBeGreaterThan(0);
    break;
  }
  expect(taken).toBeLessThan(packed.length / 2);
});

test('damaged and truncated data is rejected', async () => {
  const packed = await deflate(Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 7));
  const drain = async (bytes: Uint8Array) => {
    for await (const _ of inflate(pieces(bytes, 1000)));
  };
  await expect(drain(packed.map((byte, i) => (i === 5000 ? byte ^ 255 : byte)))).rejects.toThrow(MalformedImage);
  await expect(drain(packed.slice(0, -1000))).rejects.toThrow(MalformedImage);
  await expect(drain(new Uint8Array(50).fill(7))).rejects.toThrow(MalformedImage);
});

test('a long stream leaks no listeners, so the platform prints no warning', async () => {
  const written = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
  const random = seeded(5);
  const packed = await deflate(Uint8Array.from({ length: 2_000_000 }, () => random() * 256));
  let read = 0;
  for await (const block of inflate([packed])) read += block.length;
  expect(read).toBe(2_000_000);
  await scheduler.wait(10);
  for (const spy of written) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});
