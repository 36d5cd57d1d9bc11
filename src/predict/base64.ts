import { InvalidBody } from '../errors.ts';

const [SPACE, PADDING, INVALID, STOP] = [64, 65, 66, 67];

/** The value of each character in the standard or the URL-safe alphabet (RFC 4648), or one of the four above. */
const VALUES = new Uint8Array(256).fill(INVALID);
const assign = (characters: string, toValue: (index: number) => number) => {
  for (const [index, character] of [...characters].entries()) VALUES[character.charCodeAt(0)] = toValue(index);
};
assign('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (index) => index);
assign('-_', (index) => 62 + index);
assign(' \t\n\r\f', () => SPACE);
assign('=', () => PADDING);
assign('"\\', () => STOP);

/** Whether base64 may contain the character without a meaning. */
export const isSpace = (byte: number): boolean => VALUES[byte] === SPACE;

/** Whether the character ends or interrupts base64 in JSON: a quote or a backslash. */
export const isStop = (byte: number): boolean => VALUES[byte] === STOP;

/**
 * Decodes one base64 text that arrives in pieces. Accepts both alphabets, whitespace anywhere, and missing padding, but
 * nothing after the padding. Stops at a quote or a backslash, which end or interrupt it in JSON.
 */
export class Base64Decoder {
  /** Where the last call of `decode` stopped. */
  stop = 0;
  /** The bits that do not fill a byte yet. */
  #bits = 0;
  /** Characters of the last group of four. */
  #group = 0;
  #padding = 0;

  /**
   * Decodes `source` from `from` up to `to` into `target`, starting at `at`.
   *
   * @returns where the decoded bytes end
   * @throws {InvalidBody} the text is not base64
   */
  decode(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
    let read = from;
    let write = at;
    while (read < to) {
      if (this.#group === 0 && this.#padding === 0) {
        // Whole groups: nearly all of a photo.
        while (read + 4 <= to) {
          const a = VALUES[source[read] ?? 0] ?? INVALID;
          const b = VALUES[source[read + 1] ?? 0] ?? INVALID;
          const c = VALUES[source[read + 2] ?? 0] ?? INVALID;
          const d = VALUES[source[read + 3] ?? 0] ?? INVALID;
          if ((a | b | c | d) >= SPACE) break;
          target[write] = (a << 2) | (b >> 4);
          target[write + 1] = (b << 4) | (c >> 2);
          target[write + 2] = (c << 6) | d;
          read += 4;
          write += 3;
        }
        if (read === to) break;
      }
      const value = VALUES[source[read] ?? 0] ?? INVALID;
      if (value === STOP) break;
      read++;
      if (value === SPACE) continue;
      if (value === PADDING) this.#pad();
      else if (value === INVALID || this.#padding > 0) throw notBase64();
      else {
        this.#bits = (this.#bits << 6) | value;
        // The second to fourth character of a group each complete a byte.
        if (this.#group > 0) target[write++] = this.#bits >> (6 - 2 * this.#group);
        this.#group = (this.#group + 1) % 4;
        if (this.#group === 0) this.#bits = 0;
      }
    }
    this.stop = read;
    return write;
  }

  #pad(): void {
    this.#padding++;
    if (this.#group < 2 || this.#group + this.#padding > 4) throw notBase64();
  }

  /** @throws {InvalidBody} the text ends within a byte */
  finish(): void {
    if (this.#group === 1) throw notBase64();
  }
}

export const notBase64 = (): InvalidBody =>
  new InvalidBody('A photo is not valid base64. Photos are not fetched from URLs: send their bytes.');
