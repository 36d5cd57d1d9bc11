/**
 * Changes the size in a JPEG's header, which turns a small file into a picture of any size. Decoders reserve memory for
 * all of it and leave the part without data grey.
 */
export function resizedJpeg(
  bytes: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array {
  const frame = bytes.findIndex((byte, i) => byte === 0xff && (bytes[i + 1] === 0xc0 || bytes[i + 1] === 0xc2));
  // Not `slice`, which does not copy a Buffer.
  const copy = new Uint8Array(bytes);
  new DataView(copy.buffer).setUint32(frame + 5, height * 0x10000 + width);
  return copy;
}
