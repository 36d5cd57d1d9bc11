import { BodyTooLarge, EmptyBody, InvalidBody, TooManyPhotos } from '../errors.ts';
import { notBase64 } from './base64.ts';
import type { BodyDecoder, ByteReader } from './body.ts';
import { PhotoText } from './photo-text.ts';

/** The keys that lead to a value; null stands for any place in an array. */
export type Path = readonly (string | null)[];

/** How a protocol carries photos in JSON. */
export interface JsonForm<Request> {
  /** The places of photos in words, such as `'image'`. */
  readonly places: string;
  /** Whether a string at this path is a photo in base64. */
  isPhoto(path: Path): boolean;
  /**
   * The request without its photos.
   *
   * @param rest the JSON with each photo replaced by its number, from 0
   * @param photos how many there are
   * @throws {InvalidBody | InvalidParameter} it is not in this form
   */
  parse(rest: unknown, photos: number): Request;
}

/** Limits of one body. */
export interface JsonLimits {
  /** The most bytes of all decoded photos. */
  readonly maxBytes: number;
  /** The most photos. */
  readonly maxPhotos: number;
}

/** The most bytes of JSON around the photos. */
export const MAX_JSON_BYTES = 16_384;

/** The deepest nesting. */
const MAX_DEPTH = 16;

/** Bytes of one read. */
const CHUNK = 16_384;

const [QUOTE, BACKSLASH, COMMA, COLON, U] = [0x22, 0x5c, 0x2c, 0x3a, 0x75];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];

/** The escapes that may occur in base64, as bytes, and what they stand for. */
const ESCAPES = new Map([...'/nrtf'].map((letter, index) => [letter.charCodeAt(0), '/\n\r\t\f'.charCodeAt(index)]));

/** The most bytes of a body whose photos have `maxBytes`: base64 in lines with escaped breaks, and the JSON around it. */
export const maxJsonBytes = (maxBytes: number): number => Math.ceil(maxBytes * 1.5) + MAX_JSON_BYTES;

/**
 * Decodes the base64 photos of a JSON body while it arrives, one after another into the same buffer. Neither the body nor
 * a photo is ever a string. The rest of the JSON, with each photo replaced by its number, is small; it is parsed at the
 * end.
 */
export class JsonPhotos<Request> implements BodyDecoder {
  // The two buffers, and the rest of the JSON while it grows.
  readonly memory = 2 * CHUNK + 1.5 * MAX_JSON_BYTES;
  /** Where each photo ends in the decoded bytes. */
  readonly ends: number[] = [];
  /** What the form has parsed; undefined before the body is complete. */
  request: Request | undefined;
  readonly #form: JsonForm<Request>;
  readonly #limits: JsonLimits;
  /** The JSON without its photos. */
  #rest = new Uint8Array(1_024);
  #restLength = 0;
  #total = 0;
  #decodedTotal = 0;
  /** The keys that lead to the next value: those of its objects, null for arrays. */
  readonly #path: (string | null)[] = [];
  /** Whether the next string is a key. */
  #isKey = false;
  /** Where the current key or text starts in the rest; undefined outside. */
  #textStart: number | undefined;
  /** The current photo; undefined outside. */
  #photo: PhotoText | undefined;
  /** How many bytes of an escape have been read, with its backslash; 0 outside. */
  #escape = 0;
  /** The value of a `\\u` escape so far; NaN if it is malformed. */
  #code = 0;
  /** The character of an escape. */
  readonly #escaped = new Uint8Array(1);

  constructor(form: JsonForm<Request>, limits: JsonLimits) {
    this.#form = form;
    this.#limits = limits;
  }

  decode(source: ByteReader): ByteReader {
    let chunk = new Uint8Array(CHUNK);
    // Up to five characters of a photo's start are held back.
    const decoded = new Uint8Array(CHUNK);
    let [from, to] = [0, 0];
    const readAtLeast: ByteReader['readAtLeast'] = async (minimum, room) => {
      while (from === to) {
        const { done, value } = await source.readAtLeast(minimum, chunk);
        if (done || !value) {
          this.request = this.#form.parse(this.#parseRest(), this.ends.length);
          return { done: true, value: room.subarray(0, 0) };
        }
        chunk = new Uint8Array(value.buffer);
        [from, to] = [0, this.#scan(value, decoded)];
      }
      const value = room.subarray(0, Math.min(room.length, to - from));
      value.set(decoded.subarray(from, from + value.length));
      from += value.length;
      return { done: false, value };
    };
    return { readAtLeast, cancel: () => source.cancel() };
  }

  #parseRest(): unknown {
    if (this.#photo) throw malformed();
    try {
      return JSON.parse(decodeUtf8(this.#rest.subarray(0, this.#restLength)));
    } catch {
      throw malformed();
    }
  }

  /** Decodes the photos in a piece of the body into `target`, and returns how many bytes they have. */
  #scan(piece: Uint8Array, target: Uint8Array): number {
    this.#total += piece.length;
    if (this.#total > maxJsonBytes(this.#limits.maxBytes)) throw this.#tooLarge();
    let at = 0;
    let index = 0;
    while (index < piece.length) {
      if (!this.#photo) this.#scanRest(piece[index++] ?? 0);
      else {
        if (this.#escape === 0) {
          at = this.#photo.decode(piece, index, piece.length, target, at);
          index = this.#photo.stop;
        }
        if (index < piece.length) at = this.#scanSpecial(this.#photo, piece[index++] ?? 0, target, at);
      }
    }
    this.#decodedTotal += at;
    return at;
  }

  /** A byte outside photos. */
  #scanRest(byte: number): void {
    const isText = this.#textStart !== undefined;
    if (byte === QUOTE && !isText && !this.#isKey && this.#form.isPhoto(this.#path)) {
      if (this.ends.length === this.#limits.maxPhotos) {
        throw new TooManyPhotos(`At most ${this.#limits.maxPhotos} photos per request are accepted.`);
      }
      this.#photo = new PhotoText();
      // The spaces keep it a number of its own, whatever surrounds the photo.
      for (const character of ` ${this.ends.length} `) this.#keep(character.charCodeAt(0));
      return;
    }
    this.#keep(byte);
    if (isText) this.#scanText(byte);
    else if (byte === QUOTE) this.#textStart = this.#restLength - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (this.#path.length === MAX_DEPTH) throw new InvalidBody('The JSON is nested too deeply.');
      this.#path.push(byte === OPEN_OBJECT ? '' : null);
      this.#isKey = byte === OPEN_OBJECT;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#path.pop();
      this.#isKey = false;
    } else if (byte === COMMA) this.#isKey = typeof this.#path.at(-1) === 'string';
    else if (byte === COLON) this.#isKey = false;
  }

  /** A byte of a key, or of a text that is no photo. */
  #scanText(byte: number): void {
    if (this.#escape > 0) this.#escape = 0;
    else if (byte === BACKSLASH) this.#escape = 1;
    else if (byte === QUOTE) {
      if (this.#isKey)
        this.#path[this.#path.length - 1] = parseText(this.#rest.subarray(this.#textStart, this.#restLength));
      this.#textStart = undefined;
    }
  }

  /** A quote or a part of an escape in a photo. */
  #scanSpecial(photo: PhotoText, byte: number, target: Uint8Array, at: number): number {
    if (this.#escape === 0 && byte === QUOTE) {
      const end = photo.finish(target, at);
      const total = this.#decodedTotal + end;
      if (total === (this.ends.at(-1) ?? 0)) throw new EmptyBody('The photo has no bytes.');
      this.ends.push(total);
      this.#photo = undefined;
      return end;
    }
    const character = this.#scanEscape(byte);
    if (character === undefined) return at;
    this.#escape = 0;
    this.#escaped[0] = character;
    const end = photo.decode(this.#escaped, 0, 1, target, at);
    if (photo.stop === 0) throw notBase64();
    return end;
  }

  /** The character that an escape stands for; undefined while it is incomplete. */
  #scanEscape(byte: number): number | undefined {
    this.#escape++;
    if (this.#escape === 1) return undefined;
    if (this.#escape === 2) {
      this.#code = 0;
      const character = ESCAPES.get(byte);
      if (character === undefined && byte !== U) throw notBase64();
      return character;
    }
    this.#code = 16 * this.#code + hexValue(byte);
    if (this.#escape < 6) return undefined;
    if (!(this.#code <= 0xff)) throw notBase64();
    return this.#code;
  }

  #keep(byte: number): void {
    if (this.#restLength === MAX_JSON_BYTES) {
      throw new BodyTooLarge(
        `At most ${MAX_JSON_BYTES} bytes of JSON are accepted around the photos, which belong in ${this.#form.places}.`,
      );
    }
    if (this.#restLength === this.#rest.length) {
      this.#rest = new Uint8Array(this.#rest.buffer.transfer(2 * this.#rest.length));
    }
    this.#rest[this.#restLength++] = byte;
  }

  #tooLarge(): BodyTooLarge {
    return new BodyTooLarge(`At most ${this.#limits.maxBytes} bytes of photos are accepted.`);
  }
}

/** The value of a hexadecimal digit; NaN for other characters. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** The key that a JSON string spells. */
function parseText(bytes: Uint8Array): string {
  try {
    return String(JSON.parse(decodeUtf8(bytes)));
  } catch {
    throw malformed();
  }
}

const decodeUtf8 = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);

const malformed = (): InvalidBody => new InvalidBody('The body is not valid JSON.');
