import type { ImageFormat } from './photo.ts';

const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

/** Signatures; `undefined` stands for a byte that may be anything (RIFF's length). */
const SIGNATURES: readonly (readonly [ImageFormat, readonly (number | undefined)[]])[] = [
  ['jpeg', [0xff, 0xd8, 0xff]],
  ['png', [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a]],
  ['gif', ascii('GIF87a')],
  ['gif', ascii('GIF89a')],
  ['webp', [...ascii('RIFF'), undefined, undefined, undefined, undefined, ...ascii('WEBP')]],
];

/** How many leading bytes `sniffFormat` looks at. */
export const SIGNATURE_BYTES = 12;

/** The format that the magic bytes name, or `undefined` when it is none that is accepted. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  return SIGNATURES.find(([, signature]) =>
    signature.every((byte, at) => at < bytes.length && (byte === undefined || byte === bytes[at])),
  )?.[0];
}
