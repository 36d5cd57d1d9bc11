import { createInflate, type Inflate } from 'node:zlib';
import { MalformedImage } from '../../errors.ts';

/** Inflated bytes that come at a time, and that may wait. */
const BLOCK_BYTES = 65_536;

export const INFLATE_OPTIONS = { chunkSize: BLOCK_BYTES, highWaterMark: BLOCK_BYTES } as const;

/** Compressed bytes handed over at a time. */
const CHUNK_BYTES = 65_536;

/** What may be held at once: blocks that wait to be read, the one being written, the chunk, and zlib's own window. */
export const INFLATE_PEAK_BYTES = 4 * BLOCK_BYTES + 2 * CHUNK_BYTES + 65_536;

/**
 * Inflates a zlib stream that comes in parts, with the platform's own inflate, no faster than it is read: however
 * much a chunk expands, no more than a few blocks of it wait.
 *
 * Yields blocks of at most 64 KiB. Throws `MalformedImage` when the stream is damaged or ends early.
 */
export async function* inflate(parts: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflater = createInflate(INFLATE_OPTIONS);
  const feed = async () => {
    for (const part of parts) {
      for (let from = 0; from < part.length; from += CHUNK_BYTES) {
        if (!inflater.write(part.subarray(from, from + CHUNK_BYTES))) await drained(inflater);
      }
    }
    inflater.end();
  };
  try {
    // A failure is the inflater's, and is thrown where its blocks are read.
    feed().catch(() => {});
    for await (const block of inflater) yield block;
  } catch (cause) {
    throw new MalformedImage('The PNG is damaged.', { cause });
  } finally {
    inflater.destroy();
  }
}

/** Waits until more can be written, or never will be. */
function drained(inflater: Inflate): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      inflater.off('drain', done);
      inflater.off('close', done);
      resolve();
    };
    inflater.on('drain', done);
    inflater.on('close', done);
  });
}
