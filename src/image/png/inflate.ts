import { createInflate, type Inflate } from 'node:zlib';
import { MalformedImage } from '../../errors.ts';

/** Size of an inflated block, and of the queue of blocks. */
const BLOCK_BYTES = 65_536;

export const INFLATE_OPTIONS = { chunkSize: BLOCK_BYTES, highWaterMark: BLOCK_BYTES } as const;

/** Compressed bytes written at a time. */
const CHUNK_BYTES = 65_536;

/** Peak memory: queued blocks, the one being written, the chunk, and zlib's window. */
export const INFLATE_PEAK_BYTES = 4 * BLOCK_BYTES + 2 * CHUNK_BYTES + 65_536;

/**
 * Inflates the parts of a zlib stream with the platform's inflate, no faster than the caller reads: however much the
 * data expands, only a few blocks are queued.
 *
 * @yields blocks of at most 64 KiB
 * @throws {MalformedImage} the stream is damaged or truncated
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
    // The read loop below throws the inflater's failures.
    feed().catch(() => {});
    for await (const block of inflater) yield block;
  } catch (cause) {
    throw new MalformedImage('The PNG is damaged.', { cause });
  } finally {
    inflater.destroy();
  }
}

/** Waits until the inflater accepts more data or is closed. */
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
