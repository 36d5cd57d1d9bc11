import { decodeGif } from './gif/decode.ts';
import type { Header } from './header.ts';
import { decodeJpeg } from './jpeg/decode.ts';
import type { Pixels, Size } from './photo.ts';
import { decodePng } from './png/decode.ts';
import { decodeWebp } from './webp/decode.ts';

/**
 * Decodes to RGB as Pillow's `convert("RGB")` would, reduced so that each side is less than four times the
 * target's and, where the photo has as many pixels, at least twice.
 */
export async function decode(bytes: Uint8Array, header: Header, target: Size): Promise<Pixels> {
  switch (header.format) {
    case 'jpeg':
      return decodeJpeg(bytes, header, target);
    case 'png':
      return decodePng(bytes, header, target);
    case 'gif':
      return decodeGif(bytes, header, target);
    case 'webp':
      return decodeWebp(header, target);
  }
}
