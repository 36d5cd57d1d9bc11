import type { Size } from '../../../src/image/codec.ts';

/**
 * The same JPEG with another size in its header: as large a picture as is wanted from a small file. What its data does not fill,
 * decoders leave grey, after reserving the memory for all of it.
 */
export function resizedJpeg(bytes: Uint8Array, { width, height }: Size): Uint8Array {
  const frame = bytes.findIndex(
    (byte, i) => byte === 0xff && (bytes[i + 1] === 0xc0 || bytes[i + 1] === 0xc2),
  );
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(frame + 5, height * 0x10000 + width);
  return copy;
}
