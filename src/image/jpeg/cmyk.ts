/** `round(a * b / 255)` for bytes, computed like Pillow's MULDIV255. */
function multiply255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/**
 * Converts a JPEG's CMYK to RGB with alpha 255, in place. Like Pillow, it treats every CMYK JPEG as inverted, as Adobe
 * writes them, and ignores colour profiles.
 */
export function cmykToRgb(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 4) {
    const light = pixels[i + 3] as number;
    pixels[i] = light - multiply255(255 - (pixels[i] as number), light);
    pixels[i + 1] = light - multiply255(255 - (pixels[i + 1] as number), light);
    pixels[i + 2] = light - multiply255(255 - (pixels[i + 2] as number), light);
    pixels[i + 3] = 255;
  }
}
