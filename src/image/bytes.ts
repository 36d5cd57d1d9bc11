import { MalformedImage } from '../errors.ts';

/** Whether `text` (Latin-1) is found at position `at`. */
export function startsWith(bytes: Uint8Array, text: string, at = 0): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Reads numbers from a file and throws `MalformedImage` when a read goes past its end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #littleEndian: boolean;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, littleEndian = false) {
    this.bytes = bytes;
    this.#littleEndian = littleEndian;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#within(at, 1));
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#within(at, 2), this.#littleEndian);
  }

  u24(at: number): number {
    const [high, low] = this.#littleEndian ? [at + 2, at] : [at, at + 1];
    return (this.u8(high) << 16) | this.u16(low);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#within(at, 4), this.#littleEndian);
  }

  f32(at: number): number {
    return this.#view.getFloat32(this.#within(at, 4), this.#littleEndian);
  }

  /** Reads `length` bytes as Latin-1 text, such as a chunk's name. */
  ascii(at: number, length: number): string {
    return String.fromCharCode(...this.slice(at, length));
  }

  /** Returns a view, not a copy. */
  slice(at: number, length: number): Uint8Array {
    this.#within(at, length);
    return this.bytes.subarray(at, at + length);
  }

  #within(at: number, length: number): number {
    if (at < 0 || length < 0 || at + length > this.bytes.length) {
      throw new MalformedImage('The file is truncated.');
    }
    return at;
  }
}
