import { type GifHeader, readGifHeader } from './gif/header.ts';
import { type JpegHeader, readJpegHeader } from './jpeg/header.ts';
import type { Photo } from './photo.ts';
import { type PngHeader, readPngHeader } from './png/header.ts';
import { readWebpHeader, type WebpHeader } from './webp/header.ts';

/** Everything known of a photo before a pixel is decoded; sizes are those of the stored pixels. */
export type Header = JpegHeader | PngHeader | GifHeader | WebpHeader;

/** Throws `MalformedImage` when the file's structure is broken or it ends early. */
export function readHeader({ format, bytes }: Photo): Header {
  switch (format) {
    case 'jpeg':
      return readJpegHeader(bytes);
    case 'png':
      return readPngHeader(bytes);
    case 'gif':
      return readGifHeader(bytes);
    case 'webp':
      return readWebpHeader(bytes);
  }
}
