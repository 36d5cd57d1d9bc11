import { MalformedImage } from '../errors.ts';

/** Whether the bytes from `at` on are this Latin-1 text. */
export function startsWith(bytes: Uint8Array, text: string, at = 0): boolean {
  return Array.from(text).every((character, i) => bytes[at + i] === character.charCodeAt(0));
}

/** Reads numbers out of a file; whatever would lie beyond its end is `MalformedImage`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#within(at, 1));
  }

  u16(at: number, littleEndian = false): number {
    return this.#view.getUint16(this.#within(at, 2), littleEndian);
  }

  u24(at: number, littleEndian = false): number {
    const high = this.u8(littleEndian ? at + 2 : at);
    return (high << 16) | this.u16(littleEndian ? at : at + 1, littleEndian);
  }

  u32(at: number, littleEndian = false): number {
    return this.#view.getUint32(this.#within(at, 4), littleEndian);
  }

  /** `length` bytes from `at` as Latin-1 text, for four-letter chunk names and the like. */
  ascii(at: number, length: number): string {
    return String.fromCharCode(...this.slice(at, length));
  }

  /** A view, not a copy. */
  slice(at: number, length: number): Uint8Array {
    this.#within(at, length);
    return this.bytes.subarray(at, at + length);
  }

  #within(at: number, length: number): number {
    if (at < 0 || length < 0 || at + length > this.bytes.length) {
      throw new MalformedImage('The file ends too early.');
    }
    return at;
  }
}
