import { expect, test } from 'vitest';
import { ImageTooLarge, Overloaded } from '../../src/errors.ts';
import { PhotoMemory } from '../../src/memory.ts';

const soon = { duration: 60_000, patience: 60 };

test('leases are granted up to the capacity, then refused with a time to retry', async () => {
  const memory = new PhotoMemory(() => 100);
  await memory.lease(60, soon);
  await memory.lease(40, soon);
  const refused = await memory.lease(1, soon).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Overloaded);
  expect(refused).toMatchObject({ retryAfter: expect.any(Number) });
});

test('a waiting request gets the memory of one that ends', async () => {
  const memory = new PhotoMemory(() => 100);
  const first = await memory.lease(100, soon);
  const waiting = memory.lease(80, { duration: 60_000, patience: 10_000 });
  first.release();
  expect((await waiting).bytes).toBe(80);
  expect(memory.usedBytes).toBe(80);
});

test('the memory of a vanished request is free again when its lease expires', async () => {
  const memory = new PhotoMemory(() => 100);
  await memory.lease(100, { duration: 50, patience: 0 });
  const next = await memory.lease(100, { duration: 60_000, patience: 10_000 });
  expect(next.bytes).toBe(100);
});

test('a renewed lease outlives its first duration', async () => {
  const memory = new PhotoMemory(() => 100);
  const lease = await memory.lease(100, { duration: 50, patience: 0 });
  lease.renew(60_000);
  await scheduler.wait(100);
  expect(memory.usedBytes).toBe(100);
});

test('what never fits is refused at once, as too large rather than overloaded', async () => {
  const memory = new PhotoMemory(() => 100);
  await expect(memory.lease(101, soon)).rejects.toBeInstanceOf(ImageTooLarge);
});

test('bodies leave memory to decode one of them, but a large one may be the only lease', async () => {
  const memory = new PhotoMemory(() => 100);
  const bodies = { ...soon, share: 0.5 };
  const alone = await memory.lease(90, bodies);
  alone.release();
  await memory.lease(30, bodies);
  await memory.lease(20, bodies);
  await expect(memory.lease(1, bodies)).rejects.toBeInstanceOf(Overloaded);
  expect((await memory.lease(50, soon)).bytes).toBe(50);
});
