import { MalformedImage } from '../../errors.ts';
import { ByteReader } from '../bytes.ts';
import type { Pacer } from '../pacer.ts';

const MAX_CODES = 4096;

export const LZW_TABLE_BYTES = 8 * MAX_CODES;

/** A string has at most `MAX_CODES` indices, so this bounds the work between two looks at the pacer. */
const CODES_BETWEEN_PAUSES = 2048;

/** Nanoseconds on the benchmark machine for each byte of codes and for each index written. */
const COST = { byte: 18, index: 4 } as const;

/** Estimated nanoseconds for unpacking. */
export function lzwNanoseconds(bytes: number, indices: number): number {
  return bytes * COST.byte + indices * COST.index;
}

/**
 * Unpacks GIF's variable-length LZW (GIF89a, appendix F) from the sub-blocks at `at`.
 *
 * Each string in the table is its predecessor plus the next output byte, so the table stores only the position in the
 * output where each string was first written.
 *
 * @param pacer pauses between pieces of work
 * @returns exactly `count` palette indices
 * @throws {MalformedImage} the data is damaged or has fewer indices
 */
export async function unpackLzw(bytes: Uint8Array, at: number, count: number, pacer: Pacer): Promise<Uint8Array> {
  const codeSize = new ByteReader(bytes).u8(at);
  if (codeSize < 1 || codeSize > 8) throw new MalformedImage('The GIF is damaged.');
  const codes = new CodeReader(bytes, at + 1);
  const clear = 1 << codeSize;
  const end = clear + 1;
  const starts = new Uint32Array(MAX_CODES);
  const lengths = new Uint32Array(MAX_CODES);
  const output = new Uint8Array(count);
  let filled = 0;
  let width = codeSize + 1;
  let next = end + 1;
  let previous = 0; // Length of the last string written, or 0 after a clear.
  let codesLeft = CODES_BETWEEN_PAUSES;
  let counted = 0;
  while (filled < count) {
    if (--codesLeft === 0) {
      codesLeft = CODES_BETWEEN_PAUSES;
      if (pacer.count(lzwNanoseconds(CODES_BETWEEN_PAUSES, filled - counted))) await pacer.pause();
      counted = filled;
    }
    const code = codes.read(width);
    if (code === clear) {
      width = codeSize + 1;
      next = end + 1;
      previous = 0;
      continue;
    }
    if (code === end) throw new MalformedImage("The GIF's first frame is incomplete.");
    if (previous > 0 && next < MAX_CODES) {
      starts[next] = filled - previous;
      lengths[next] = previous + 1;
      next++;
      if (next === 1 << width && width < 12) width++;
    }
    if (code < clear) {
      output[filled++] = code;
      previous = 1;
    } else if (code < next) {
      previous = lengths[code] as number;
      const from = starts[code] as number;
      for (let i = 0; i < previous && filled < count; i++) output[filled++] = output[from + i] as number;
    } else {
      throw new MalformedImage('The GIF is damaged.');
    }
  }
  return output;
}

/** Reads codes from the sub-blocks, lowest bit first. */
class CodeReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #left = 0;
  #bits = 0;
  #available = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  read(width: number): number {
    while (this.#available < width) {
      this.#bits |= this.#nextByte() << this.#available;
      this.#available += 8;
    }
    const code = this.#bits & ((1 << width) - 1);
    this.#bits >>>= width;
    this.#available -= width;
    return code;
  }

  #nextByte(): number {
    if (this.#left === 0) {
      this.#left = this.#bytes[this.#at++] ?? 0;
      if (this.#left === 0) throw new MalformedImage("The GIF's first frame is incomplete.");
    }
    this.#left--;
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new MalformedImage('The GIF is truncated in its first frame.');
    return byte;
  }
}
