import { expect, test } from 'vitest';
import { BodyTooLarge, EmptyBody, RequestTimeout } from '../../../src/errors.ts';
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

test('a body without a length is read to its end', async () => {
  const body = stream([new Uint8Array(300).fill(1), new Uint8Array(200).fill(2)]);
  const memory = roomy();
  const { bytes } = await readBody(post(body), memory, limits);
  expect(memory.usedBytes).toBe(500);
  expect(bytes).toEqual(new Uint8Array([...Array(300).fill(1), ...Array(200).fill(2)]));
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
