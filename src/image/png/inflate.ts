import { MalformedImage } from '../../errors.ts';

/**
 * Compressed bytes handed over at a time. The platform inflates a chunk whole, however large it comes out, and its
 * writer knows no backpressure: deflate expands by up to 1032, so this bounds what a bomb can make it hold.
 */
const CHUNK_BYTES = 4096;

/** Inflated bytes taken at a time. */
const READ_BYTES = 262_144;

/** Inflated bytes that may wait at once: those of the chunk just written and, to be safe, of one before. */
export const INFLATE_PEAK_BYTES = 2 * CHUNK_BYTES * 1032 + 2 * READ_BYTES;

/**
 * Inflates a zlib stream that comes in parts, with the platform's own inflate, writing no faster than it is read.
 *
 * Yields blocks of at most 256 KiB; a block is only valid until the next is asked for. Throws `MalformedImage` when the stream is damaged
 * or ends early.
 */
export async function* inflate(parts: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = new DecompressionStream('deflate');
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader({ mode: 'byob' });
  const input = rechunk(parts, CHUNK_BYTES);
  let buffer = new ArrayBuffer(READ_BYTES);
  let open = true;
  let written = Number.POSITIVE_INFINITY; // chunks for the block before
  try {
    for (;;) {
      let waiting = true;
      const block = reader.readAtLeast(READ_BYTES, new Uint8Array(buffer)).finally(() => {
        waiting = false;
      });
      block.catch(() => {}); // a failing write is reported first, by the write
      // After a chunk that filled a block alone there may be more of it: a turn of the event loop lets that arrive.
      if (written <= 1) await scheduler.wait(0);
      written = 0;
      while (waiting && open) {
        written++;
        const chunk = input.next();
        open = !chunk.done;
        await (chunk.done ? writer.close() : writer.write(chunk.value));
      }
      const { value } = await block;
      if (!value || value.length === 0) return;
      yield value;
      if (value.length < READ_BYTES) return;
      buffer = value.buffer as ArrayBuffer;
    }
  } catch (cause) {
    throw new MalformedImage('The PNG is damaged.', { cause });
  } finally {
    await Promise.allSettled([reader.cancel(), writer.abort()]);
  }
}

/** The same bytes in chunks of exactly `size` but for the last, in a buffer that is used again. */
function* rechunk(parts: Iterable<Uint8Array>, size: number): Generator<Uint8Array> {
  const chunk = new Uint8Array(size);
  let filled = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const taken = Math.min(size - filled, part.length - from);
      chunk.set(part.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
      if (filled === size) {
        yield chunk;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
