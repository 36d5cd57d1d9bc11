import { expect, test, vi } from 'vitest';
import { BodyTooLarge, EmptyBody, Overloaded, RequestTimeout } from '../../../src/errors.ts';
import { toUploadSource } from '../../../src/http/upload-source.ts';
import { PhotoMemory } from '../../../src/memory.ts';
import { type BodySource, readBody } from '../../../src/predict/body.ts';

const limits = { maxBytes: 1000, timeout: 60_000, idleTimeout: 60_000, minRate: 0, grace: 0, patience: 0 };
const roomy = () => new PhotoMemory(() => 1_000_000);

function post(body: BodyInit | null, headers: Record<string, string> = {}): BodySource {
  return toUploadSource(new Request('https://husky.test/', { method: 'POST', body, headers }));
}

/** A body that arrives in these pieces, then ends or hangs. */
function stream(pieces: readonly Uint8Array[], ends = true): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      if (ends) controller.close();
    },
  });
}

test('the body comes out as it went in, and its place is held until it is released', async () => {
  const memory = roomy();
  const sent = Uint8Array.from({ length: 900 }, (_, index) => index % 251);
  const { bytes, release } = await readBody(post(sent, { 'Content-Length': '900' }), memory, limits);
  expect(bytes).toEqual(sent);
  expect(memory.usedBytes).toBe(900);
  release();
  expect(memory.usedBytes).toBe(0);
  // The buffer itself is freed at once, not only its lease.
  expect(bytes.buffer.detached).toBe(true);
});

test.each([
  ['with', { 'Content-Length': '700000' }],
  ['without', {}],
])('a large body %s a length survives the growth of its buffer', async (_, headers) => {
  const memory = roomy();
  const sent = Uint8Array.from({ length: 700_000 }, (_byte, index) => index % 251);
  const pieces = [0, 1, 5, 40_000, 43_750, 400_000].map((start, i, all) => sent.slice(start, all[i + 1]));
  const body = post(stream(pieces), headers);
  const { bytes } = await readBody(body, memory, { ...limits, maxBytes: 700_001 });
  expect(bytes).toEqual(sent);
  expect(memory.usedBytes).toBe(bytes.buffer.byteLength);
});

test('the memory of a body grows with what has arrived, not with what was declared', async () => {
  const memory = new PhotoMemory(() => 100_000_000);
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const source = { stream: readable, declaredLength: 16_000_000 };
  const reading = readBody(source, memory, { ...limits, maxBytes: 20_000_000 });
  const held: number[] = [];
  for (const bytes of [1, 62_499, 1, 937_499, 1, 3_000_000]) {
    await writer.write(new Uint8Array(bytes));
    await scheduler.wait(1);
    held.push(memory.usedBytes);
  }
  expect(held).toEqual([62_500, 250_000, 250_000, 4_000_000, 4_000_000, 16_000_000]);
  await writer.write(new Uint8Array(12_000_000 - 1));
  await writer.close();
  expect((await reading).bytes.byteLength).toBe(16_000_000);
});

test.each([
  ['grows where a copy fits beside it', 125_000, 25_000],
  ['takes all its memory at once where none does', 124_999, 100_000],
])('a body %s', async (_, capacity, held) => {
  const memory = new PhotoMemory(() => capacity);
  const sent = new Uint8Array(100_000).fill(5);
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const reading = readBody({ stream: readable, declaredLength: 100_000 }, memory, { ...limits, maxBytes: 100_000 });
  await writer.write(sent.subarray(0, 1));
  expect(memory.usedBytes).toBe(held);
  await writer.write(sent.subarray(1));
  await writer.close();
  expect((await reading).bytes).toEqual(sent);
});

test('the copy that a growing body makes waits for memory too', async () => {
  const memory = new PhotoMemory(() => 250_000);
  const other = await memory.lease(10_000, { duration: 60_000, patience: 0 });
  const upload = () => readBody(post(new Uint8Array(100_000), { 'Content-Length': '100000' }), memory, wide);
  const wide = { ...limits, maxBytes: 100_000 };
  await expect(upload()).rejects.toBeInstanceOf(Overloaded);
  expect(memory.usedBytes).toBe(10_000);
  other.release();
  expect((await upload()).bytes.byteLength).toBe(100_000);
});

test('an upload that is too slow for the memory it holds is aborted when another needs that memory', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const wide = { ...limits, maxBytes: 100_000 };
    const memory = new PhotoMemory(() => 100_000);
    const slow = readBody(post(stream([new Uint8Array(1)], false), { 'Content-Length': '90000' }), memory, wide);
    const refused = expect(slow).rejects.toBeInstanceOf(RequestTimeout);
    await scheduler.wait(1);
    expect(memory.usedBytes).toBe(90_000);
    for (let look = 0; look < 36; look++) {
      vi.advanceTimersByTime(200);
      await scheduler.wait(55);
    }
    const sent = new Uint8Array(80_000).fill(3);
    const body = await readBody(post(sent, { 'Content-Length': '80000' }), memory, { ...wide, patience: 30_000 });
    expect(body.bytes).toEqual(sent);
    await refused;
    expect(memory.usedBytes).toBe(80_000);
  } finally {
    vi.useRealTimers();
  }
});

test('a client keeps its place while its body arrives, and loses it afterwards', async () => {
  const calls: string[] = [];
  const place = { renew: () => calls.push('renew'), release: () => calls.push('release') };
  await readBody({ ...post(new Uint8Array(10)), place }, roomy(), limits);
  expect(calls).toEqual(['renew', 'release']);
  const broken = readBody({ ...post(new Uint8Array(1001)), place }, roomy(), limits);
  await expect(broken).rejects.toBeInstanceOf(BodyTooLarge);
  expect(calls.at(-1)).toBe('release');
});

test('a body without a length is read to its end', async () => {
  const body = stream([new Uint8Array(300).fill(1), new Uint8Array(200).fill(2)]);
  const memory = roomy();
  const { bytes } = await readBody(post(body), memory, limits);
  expect(memory.usedBytes).toBe(500);
  expect(bytes).toEqual(new Uint8Array([...Array(300).fill(1), ...Array(200).fill(2)]));
});

test.each([
  ['with', { 'Content-Length': '3000' }],
  ['without', {}],
])('a body %s a length whose chunks have one byte each takes few reads', async (_, headers) => {
  const sent = Uint8Array.from({ length: 3_000 }, (_byte, index) => index % 251);
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const checks = vi.spyOn(globalThis, 'setInterval');
  const reading = readBody(post(readable, headers), roomy(), { ...limits, maxBytes: 5_000 });
  for (let at = 0; at < sent.length; at++) await writer.write(sent.subarray(at, at + 1));
  await writer.close();
  expect((await reading).bytes).toEqual(sent);
  expect(checks.mock.calls.length).toBeLessThan(10);
  checks.mockRestore();
});

test('a declared length over the limit is refused without reading', async () => {
  const memory = roomy();
  const source = post(new Uint8Array(1001), { 'Content-Length': '1001' });
  await expect(readBody(source, memory, limits)).rejects.toBeInstanceOf(BodyTooLarge);
  expect(source.stream?.locked).toBe(false);
});

test.each([
  ['no length', {}],
  ['a length that lies', { 'Content-Length': '10' }],
])('too many bytes after %s are refused, and their memory is free again', async (_, headers) => {
  const memory = roomy();
  const body = stream([new Uint8Array(600), new Uint8Array(600)]);
  await expect(readBody(post(body, headers), memory, limits)).rejects.toBeInstanceOf(BodyTooLarge);
  expect(memory.usedBytes).toBe(0);
});

test.each([
  ['nothing', null],
  ['an empty stream', stream([])],
])('%s is not a photo', async (_, body) => {
  const memory = roomy();
  const request = post(body);
  await expect(readBody(request, memory, limits)).rejects.toBeInstanceOf(EmptyBody);
  expect(memory.usedBytes).toBe(0);
});

test('an upload that stalls is aborted, and its memory is free again', async () => {
  const memory = roomy();
  const hanging = post(stream([new Uint8Array(10)], false));
  const upload = readBody(hanging, memory, { ...limits, idleTimeout: 50 });
  await expect(upload).rejects.toBeInstanceOf(RequestTimeout);
  expect(memory.usedBytes).toBe(0);
});

test('bytes that arrived while the isolate was busy count, even if the time ran out first', async () => {
  const body = new ReadableStream({
    type: 'bytes',
    start(controller) {
      setTimeout(() => {
        controller.enqueue(new Uint8Array(10).fill(7));
        controller.close();
      }, 45);
    },
  });
  const upload = readBody(post(body, { 'Content-Length': '10' }), roomy(), { ...limits, idleTimeout: 40 });
  // From the start of the wait until both timers are overdue.
  setTimeout(keepBusy, 5);
  expect((await upload).bytes).toEqual(new Uint8Array(10).fill(7));
});

/** Computes for longer than the upload may stall. Counts iterations, since a Worker's clock may not advance meanwhile. */
function keepBusy(): number {
  let state = 1;
  for (let i = 0; i < 3e8; i++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return state;
}

test.each([1, 10])('an upload that trickles, one byte per %i ms, is aborted when its time is over', async (pause) => {
  const memory = roomy();
  const trickle = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      await scheduler.wait(pause);
      controller.enqueue(new Uint8Array(1));
    },
  });
  const upload = readBody(post(trickle), memory, { ...limits, timeout: 100 });
  await expect(upload).rejects.toBeInstanceOf(RequestTimeout);
  expect(memory.usedBytes).toBe(0);
});

test('an upload whose client disconnects is aborted, and is not a failure of the service', async () => {
  const memory = roomy();
  const broken = new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.enqueue(new Uint8Array(10));
    },
    pull(controller) {
      controller.error(new Error('Network connection lost.'));
    },
  });
  await expect(readBody(post(broken), memory, limits)).rejects.toBeInstanceOf(RequestTimeout);
  expect(memory.usedBytes).toBe(0);
});
