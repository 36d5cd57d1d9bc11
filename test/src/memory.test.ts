import { expect, test, vi } from 'vitest';
import { ImageTooLarge, Overloaded, RequestTimeout } from '../../src/errors.ts';
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

test('what will fit once the model has taken its part waits for that', async () => {
  let capacity = 20;
  const memory = new PhotoMemory(
    () => capacity,
    () => 100,
  );
  const pending = memory.lease(50, { duration: 1000, patience: 1000 });
  await scheduler.wait(30);
  expect(memory.usedBytes).toBe(0);
  capacity = 60;
  await pending;
  expect(memory.usedBytes).toBe(50);
  await expect(memory.lease(200, { duration: 1000, patience: 1000 })).rejects.toBeInstanceOf(ImageTooLarge);
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

/** A body with this lateness, and with so long to go, in milliseconds. */
const arriving = (lateness: number, remaining = 0) => ({
  ...{ duration: 60_000, patience: 10_000 },
  arriving: { lateness, remaining },
});

test('a lease that grows waits for free memory', async () => {
  const memory = new PhotoMemory(() => 100);
  const [growing, other] = [await memory.lease(40, soon), await memory.lease(60, soon)];
  expect(growing.tryExtend(20)).toBe(false);
  const extended = growing.extend(20, { patience: 10_000 });
  other.shrink(40);
  await extended;
  expect(growing.bytes).toBe(60);
  expect(memory.usedBytes).toBe(100);
});

test('of the bodies that cannot arrive in time, the latest gives its memory to another request', async () => {
  const memory = new PhotoMemory(() => 100);
  const [inTime, late, latest] = [
    await memory.lease(30, arriving(-1)),
    await memory.lease(30, arriving(5_000)),
    await memory.lease(40, arriving(9_000)),
  ];
  const waiting = memory.lease(40, arriving(-1));
  expect([inTime, late, latest].map(({ recalled }) => recalled)).toEqual([false, false, true]);
  latest.release();
  expect((await waiting).bytes).toBe(40);
  expect(late.recalled).toBe(false);
});

test('bodies that are in time, and photos being decoded, keep their memory', async () => {
  const memory = new PhotoMemory(() => 100);
  const body = await memory.lease(50, arriving(-1));
  const photo = await memory.lease(50, soon);
  await expect(memory.lease(10, soon)).rejects.toBeInstanceOf(Overloaded);
  expect([body.recalled, photo.recalled]).toEqual([false, false]);
});

test('a late body keeps its memory where that would not be enough', async () => {
  const memory = new PhotoMemory(() => 100);
  await memory.lease(60, soon);
  const late = await memory.lease(10, arriving(5_000));
  await expect(memory.lease(50, soon)).rejects.toBeInstanceOf(Overloaded);
  expect(late.recalled).toBe(false);
});

test('a body that has nearly arrived keeps its memory where those with most still to come take too much', async () => {
  const memory = new PhotoMemory(() => 100);
  await memory.lease(20, { ...arriving(-1), share: 0.5, partial: true });
  const late = await memory.lease(5, { ...arriving(5_000), share: 0.5 });
  await expect(memory.lease(10, { ...soon, share: 0.5, partial: true })).rejects.toBeInstanceOf(Overloaded);
  expect(late.recalled).toBe(false);
});

test.each([
  ['gives way to a small request', 5_000_000, 6_000, 600_000, true],
  ['does not give way to one of its size', 5_000_000, 6_000, 700_000, false],
  ['does not give way shortly before its end', 5_000_000, 4_000, 600_000, false],
  ['does not give way if it holds as much as a phone with a slow connection', 900_000, 6_000, 100_000, false],
])('a body that arrives in time but slowly %s', async (_, bytes, remaining, needed, isRecalled) => {
  const memory = new PhotoMemory(() => bytes);
  const body = await memory.lease(bytes, arriving(-1, remaining));
  const waiting = memory.lease(needed, soon);
  expect(body.recalled).toBe(isRecalled);
  body.release();
  await waiting;
});

test('a body that is complete is late no more', async () => {
  const memory = new PhotoMemory(() => 100);
  const body = await memory.lease(100, arriving(5_000));
  body.secure();
  await expect(memory.lease(10, soon)).rejects.toBeInstanceOf(Overloaded);
  expect(body.recalled).toBe(false);
});

test('where every body waits for more, the slowest is refused and the others go on', async () => {
  const memory = new PhotoMemory(() => 100);
  const [fast, slow] = [await memory.lease(50, arriving(-9_000)), await memory.lease(50, arriving(-1))];
  const grown = fast.extend(50, { patience: 10_000 });
  const refused = slow.extend(50, { patience: 10_000 }).catch((error: unknown) => {
    slow.release();
    return error;
  });
  expect(await refused).toBeInstanceOf(RequestTimeout);
  await grown;
  expect(fast.bytes).toBe(100);
});

test('bodies that wait for more do not block each other until one that stalls is late', async () => {
  const memory = new PhotoMemory(() => 100);
  await memory.lease(5, arriving(-1));
  const [fast, slow] = [await memory.lease(40, arriving(-9_000)), await memory.lease(40, arriving(-1))];
  const grown = fast.extend(50, { patience: 10_000 });
  const refused = slow.extend(50, { patience: 10_000 }).catch((error: unknown) => {
    slow.release();
    return error;
  });
  expect(await refused).toBeInstanceOf(RequestTimeout);
  await grown;
  expect(fast.bytes).toBe(90);
});

test('bodies that wait for more keep their memory where one of them can go on after others', async () => {
  const memory = new PhotoMemory(() => 100);
  const photo = await memory.lease(30, soon);
  const [one, other] = [await memory.lease(30, arriving(-9_000)), await memory.lease(30, arriving(-1))];
  const grown = Promise.all(
    [one, other].map((body) => body.extend(30, { patience: 10_000 }).then(() => body.release())),
  );
  await scheduler.wait(60);
  expect([one.recalled, other.recalled]).toEqual([false, false]);
  photo.release();
  await grown;
});

test('the memory of a recalled body is free even if its request has vanished', async () => {
  const memory = new PhotoMemory(() => 100);
  await memory.lease(100, arriving(5_000));
  expect((await memory.lease(100, arriving(-1))).bytes).toBe(100);
});

test('the more leases there are, the less often a waiting request checks', async () => {
  const memory = new PhotoMemory(() => 400);
  for (let i = 0; i < 400; i++) await memory.lease(1, soon);
  const pauses = vi.spyOn(scheduler, 'wait');
  await expect(memory.lease(1, soon)).rejects.toBeInstanceOf(Overloaded);
  expect(pauses.mock.calls[0]?.[0]).toBeGreaterThan(200);
  pauses.mockRestore();
});
