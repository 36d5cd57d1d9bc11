import { createInflate, type Inflate } from 'node:zlib';
import { MalformedImage } from '../../errors.ts';
import type { Pacer } from '../pacer.ts';

/** Size of an inflated block, and of the queue of blocks. */
const BLOCK_BYTES = 65_536;

export const INFLATE_OPTIONS = { chunkSize: BLOCK_BYTES, highWaterMark: BLOCK_BYTES } as const;

/** Makes inflate accept data that is cut off. */
export const Z_SYNC_FLUSH = 2;

/** Compressed bytes written at a time. */
const CHUNK_BYTES = 65_536;

/** Peak memory: queued blocks, the one being written, written chunks and the next one, and zlib's window. */
export const INFLATE_PEAK_BYTES = 4 * BLOCK_BYTES + 4 * CHUNK_BYTES + 65_536;

/**
 * Nanoseconds on the benchmark machine for each compressed byte, where they are nothing but tables of prefix codes;
 * photos take 10. `npm run bench -- decode` measures it.
 */
const BYTE_COST = 65;

/** Estimated nanoseconds for reading compressed data, without the bytes that come out. */
export function inflateNanoseconds(compressedBytes: number): number {
  return compressedBytes * BYTE_COST;
}

/**
 * Inflates the parts of a zlib stream with the platform's inflate, no faster than the caller reads: however much the
 * data expands, only a few blocks are queued.
 *
 * @param pacer pauses within data from which nothing comes out
 * @param mayEndEarly whether the stream may lack its end, such as its checksum
 * @yields blocks of at most 64 KiB
 * @throws {MalformedImage} the stream is damaged or truncated
 */
export async function* inflate(
  parts: Iterable<Uint8Array>,
  pacer?: Pacer,
  mayEndEarly = false,
): AsyncGenerator<Uint8Array> {
  const inflater = createInflate({ ...INFLATE_OPTIONS, ...(mayEndEarly && { finishFlush: Z_SYNC_FLUSH }) });
  const feed = async () => {
    for (const chunk of regroup(parts)) {
      if (!inflater.write(chunk)) await drained(inflater);
      if (pacer?.count(inflateNanoseconds(chunk.length))) await pacer.pause();
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

/**
 * Splits and joins parts into chunks of `CHUNK_BYTES`, except the last one. Each chunk costs objects and calls of its
 * own, and a file may consist of a million parts.
 */
function* regroup(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let joined = new Uint8Array(0);
  let length = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const piece = part.subarray(from, from + CHUNK_BYTES - length);
      from += piece.length;
      if (piece.length === CHUNK_BYTES) {
        yield piece;
        continue;
      }
      // The inflater still owns the chunk before.
      if (length === 0) joined = new Uint8Array(CHUNK_BYTES);
      joined.set(piece, length);
      length += piece.length;
      if (length < CHUNK_BYTES) continue;
      yield joined;
      length = 0;
    }
  }
  if (length > 0) yield joined.subarray(0, length);
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
