import { MalformedImage } from '../../errors.ts';

const MAX_CODE_LENGTH = 15;

/** Storage order of the code-length code's lengths (RFC 9649, section 3.7.2.1.2). */
const CODE_LENGTH_ORDER = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** Reads a lossless WebP's bitstream, lowest bit first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;

  /** @param from the first byte to read */
  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#at = from * 8;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw new MalformedImage('The WebP is truncated.');
    return (byte >> (this.#at++ & 7)) & 1;
  }

  /** @param count at most 24 */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.bit() << i;
    return value;
  }
}

/** A canonical prefix code, stored as the number of codes of each length and the symbols in code order. */
export class PrefixCode {
  readonly #counts = new Uint16Array(MAX_CODE_LENGTH + 1);
  readonly #symbols: Uint16Array;

  private constructor(lengths: Uint8Array) {
    for (const length of lengths) this.#counts[length] = (this.#counts[length] as number) + 1;
    const used = lengths.length - (this.#counts[0] as number);
    this.#counts[0] = 0;
    this.#symbols = new Uint16Array(used);
    const next = new Uint16Array(MAX_CODE_LENGTH + 2);
    for (let i = 1; i <= MAX_CODE_LENGTH; i++) next[i + 1] = (next[i] as number) + (this.#counts[i] as number);
    for (const [symbol, length] of lengths.entries()) {
      if (length > 0) this.#symbols[(next[length] as number)++] = symbol;
    }
  }

  /** Reads a code's definition (RFC 9649, section 3.7.2). */
  static read(reader: BitReader, alphabet: number): PrefixCode {
    return new PrefixCode(reader.bit() ? readSimpleLengths(reader) : readNormalLengths(reader, alphabet));
  }

  static fromLengths(lengths: Uint8Array): PrefixCode {
    return new PrefixCode(lengths);
  }

  /** Reads one symbol. If the code has only one symbol, it takes no bits. */
  symbol(reader: BitReader): number {
    if (this.#symbols.length === 1) return this.#symbols[0] as number;
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
      code |= reader.bit();
      const count = this.#counts[length] as number;
      if (code - first < count) return this.#symbols[index + code - first] as number;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new MalformedImage('The WebP is damaged.');
  }
}

function readSimpleLengths(reader: BitReader): Uint8Array {
  const two = reader.bit();
  const lengths = new Uint8Array(256);
  lengths[reader.bits(reader.bit() ? 8 : 1)] = 1;
  if (two) lengths[reader.bits(8)] = 1;
  return lengths;
}

function readNormalLengths(reader: BitReader, alphabet: number): Uint8Array {
  const codeLengths = new Uint8Array(CODE_LENGTH_ORDER.length);
  const count = 4 + reader.bits(4);
  for (const symbol of CODE_LENGTH_ORDER.slice(0, count)) codeLengths[symbol] = reader.bits(3);
  const code = PrefixCode.fromLengths(codeLengths);
  let left = reader.bit() ? 2 + reader.bits(2 + 2 * reader.bits(3)) : alphabet;
  const lengths = new Uint8Array(alphabet);
  let previous = 8;
  for (let at = 0; at < alphabet && left > 0; left--) {
    const length = code.symbol(reader);
    if (length < 16) {
      lengths[at++] = length;
      if (length > 0) previous = length;
      continue;
    }
    const repeat = length === 16 ? 3 + reader.bits(2) : length === 17 ? 3 + reader.bits(3) : 11 + reader.bits(7);
    if (at + repeat > alphabet) throw new MalformedImage('The WebP is damaged.');
    lengths.fill(length === 16 ? previous : 0, at, at + repeat);
    at += repeat;
  }
  return lengths;
}
