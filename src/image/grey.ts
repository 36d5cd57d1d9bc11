/** Replaces red, green and blue by grey, in place, as Pillow's `convert("L")` does (ITU-R BT.601, libImaging/Convert.c). */
export function toGrey(rgba: Uint8Array): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const red = rgba[i] as number;
    const green = rgba[i + 1] as number;
    const blue = rgba[i + 2] as number;
    const grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    rgba[i] = grey;
    rgba[i + 1] = grey;
    rgba[i + 2] = grey;
  }
}
