import { inflateSync } from 'node:zlib';
import { startsWith } from '../bytes.ts';
import type { Metadata } from '../exif.ts';
import { inflateNanoseconds, Z_SYNC_FLUSH } from './inflate.ts';

/** The kinds of text chunks (W3C PNG, 11.3.3): plain, compressed, and international. */
export type TextType = 'tEXt' | 'zTXt' | 'iTXt';

interface Text {
  readonly type: TextType;
  /** The payload after the keyword and its terminator. */
  readonly content: Uint8Array;
}

/** Keywords and terminators. ImageMagick and others store EXIF as hexadecimal text. */
const EXIF_PROFILE = 'Raw profile type exif\0';
const XMP = 'XML:com.adobe.xmp\0';

/** The longest text, as in Pillow, and the longest compressed text; longer ones are ignored. */
const MAX_TEXT_BYTES = 1_048_576;
const MAX_PACKED_BYTES = 262_144;

/** Nanoseconds on the benchmark machine for each byte of text to parse or search; `npm run bench -- decode` measures it. */
const TEXT_COST = 15;

/** The text chunks of a PNG that may state its orientation. */
export class Texts {
  /** By keyword; of several, the last one counts, as in Pillow. */
  readonly #texts = new Map<string, Text>();

  add(type: TextType, payload: Uint8Array): void {
    for (const keyword of [EXIF_PROFILE, XMP]) {
      if (startsWith(payload, keyword)) this.#texts.set(keyword, { type, content: payload.subarray(keyword.length) });
    }
  }

  /** Upper bound of the nanoseconds that `read` takes. */
  get nanoseconds(): number {
    let sum = 0;
    for (const { type, content } of this.#texts.values()) {
      sum += Math.min(content.length, MAX_TEXT_BYTES) * TEXT_COST;
      if (type === 'tEXt') continue;
      sum += inflateNanoseconds(Math.min(content.length, MAX_PACKED_BYTES)) + MAX_TEXT_BYTES * TEXT_COST;
    }
    return sum;
  }

  read(): Metadata {
    const [profile, xmp] = [EXIF_PROFILE, XMP].map((keyword) => {
      const text = this.#texts.get(keyword);
      return text && readContent(text);
    });
    return { exif: profile && parseProfile(profile), xmp };
  }
}

/** Returns the text, or `undefined` if it is damaged or too long. */
function readContent({ type, content }: Text): Uint8Array | undefined {
  switch (type) {
    case 'tEXt':
      return content.length <= MAX_TEXT_BYTES ? content : undefined;
    case 'zTXt':
      return content[0] === 0 ? unpack(content.subarray(1)) : undefined;
    case 'iTXt': {
      const [packed, method] = content;
      const language = content.indexOf(0, 2);
      const translation = content.indexOf(0, language + 1);
      if (language < 0 || translation < 0) return undefined;
      const text = content.subarray(translation + 1);
      if (packed === 0) return readContent({ type: 'tEXt', content: text });
      return method === 0 ? unpack(text) : undefined;
    }
  }
}

function unpack(packed: Uint8Array): Uint8Array | undefined {
  if (packed.length > MAX_PACKED_BYTES) return undefined;
  try {
    return inflateSync(packed, { maxOutputLength: MAX_TEXT_BYTES, finishFlush: Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/** Returns the block in a raw profile: an empty line, a name, a length, and then lines of hexadecimal digits. */
function parseProfile(text: Uint8Array): Uint8Array {
  const [, , , ...lines] = new TextDecoder('latin1').decode(text).split('\n');
  const digits = lines.join('');
  const nibble = (at: number) => {
    const code = digits.charCodeAt(at);
    return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
  };
  return Uint8Array.from({ length: digits.length >> 1 }, (_, i) => (nibble(2 * i) << 4) | nibble(2 * i + 1));
}
