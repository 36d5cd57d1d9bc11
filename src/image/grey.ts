/**
 * Converts red, green and blue to grey as Pillow's `convert("L")` does (ITU-R BT.601, libImaging/Convert.c).
 *
 * @param channels bytes for each of the `count` pixels
 */
export function convertToGrey(row: Uint8Array, channels: 3 | 4, count: number, grey: Uint8Array): void {
  for (let i = 0, from = 0; i < count; i++, from += channels) {
    const red = row[from] as number;
    const green = row[from + 1] as number;
    const blue = row[from + 2] as number;
    grey[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
}
