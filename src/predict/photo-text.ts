import { Base64Decoder, isSpace, isStop, notBase64 } from './base64.ts';

const DATA = 'data:';

/** The longest start of a data: URL, up to its comma. */
const MAX_HEAD = 1_024;

/** The text of one photo that arrives in pieces: base64, or a data: URL with base64. */
export class PhotoText {
  readonly #base64 = new Base64Decoder();
  /** The start of a text that may be a data: URL; undefined once that is decided. */
  #head: string | undefined = '';

  /** As `Base64Decoder.stop`. */
  get stop(): number {
    return this.#base64.stop;
  }

  /** Decodes a part of the text, as `Base64Decoder.decode`. */
  decode(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
    let [read, write] = [from, at];
    while (this.#head !== undefined && read < to) {
      const byte = source[read] ?? 0;
      if (isStop(byte)) break;
      read++;
      if (this.#head === '' && isSpace(byte)) continue;
      this.#head += String.fromCharCode(byte);
      write = this.#decide(this.#head, target, write);
    }
    return this.#base64.decode(source, read, to, target, write);
  }

  #decide(head: string, target: Uint8Array, at: number): number {
    if (DATA.startsWith(head.toLowerCase())) return at;
    if (head.slice(0, DATA.length).toLowerCase() !== DATA) return this.#flush(target, at);
    if (head.endsWith(',')) {
      if (!/; *base64 *,$/i.test(head)) throw notBase64();
      this.#head = undefined;
    } else if (head.length === MAX_HEAD) throw notBase64();
    return at;
  }

  /** The text so far is base64, not the start of a data: URL. */
  #flush(target: Uint8Array, at: number): number {
    const held = Uint8Array.from(this.#head ?? '', (character) => character.charCodeAt(0));
    this.#head = undefined;
    return this.#base64.decode(held, 0, held.length, target, at);
  }

  /** Decodes what is left, and returns where it ends. */
  finish(target: Uint8Array, at: number): number {
    const end = this.#flush(target, at);
    this.#base64.finish();
    return end;
  }
}
