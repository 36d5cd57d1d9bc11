import type { PngColour, PngHeader } from './header.ts';

const CHANNELS: Record<PngColour, number> = { grey: 1, rgb: 3, palette: 1, 'grey-alpha': 2, 'rgb-alpha': 4 };

/** Bits of one stored pixel. */
export function bitsPerPixel({ colour, depth }: Pick<PngHeader, 'colour' | 'depth'>): number {
  return CHANNELS[colour] * depth;
}

/** Whether stored pixels start with red, green and blue bytes and need no conversion. */
export function isPlainRgb({ colour, depth }: Pick<PngHeader, 'colour' | 'depth'>): boolean {
  return depth === 8 && (colour === 'rgb' || colour === 'rgb-alpha');
}

/** Converts `count` stored pixels to RGB triples. */
type RowConverter = (row: Uint8Array, count: number, rgb: Uint8Array) => void;

/**
 * Creates a converter that follows Pillow's `convert("RGB")`: it drops alpha and transparency without blending, and
 * keeps the high byte of 16 bits. (Pillow clips 16-bit grey, which turns nearly all of it white; this does not.)
 */
export function createRowConverter({ colour, depth, palette }: PngHeader): RowConverter {
  const bytes = depth === 16 ? 2 : 1;
  const stride = CHANNELS[colour] * bytes;
  if (colour === 'rgb' || colour === 'rgb-alpha') return (row, count, rgb) => copyRgb(row, count, rgb, stride, bytes);
  if (depth >= 8 && colour !== 'palette') return (row, count, rgb) => copyGrey(row, count, rgb, stride);
  const colours = colour === 'palette' ? paletteColours(palette) : greyColours(depth);
  return (row, count, rgb) => lookUp(row, count, rgb, depth, colours);
}

function copyRgb(row: Uint8Array, count: number, rgb: Uint8Array, stride: number, bytes: number): void {
  for (let i = 0, from = 0, to = 0; i < count; i++, from += stride) {
    rgb[to++] = row[from] as number;
    rgb[to++] = row[from + bytes] as number;
    rgb[to++] = row[from + 2 * bytes] as number;
  }
}

function copyGrey(row: Uint8Array, count: number, rgb: Uint8Array, stride: number): void {
  for (let i = 0, to = 0; i < count; i++) {
    const grey = row[i * stride] as number;
    rgb[to++] = grey;
    rgb[to++] = grey;
    rgb[to++] = grey;
  }
}

/** Looks up indices of 1, 2, 4 or 8 bits; the leftmost pixel is in the highest bits. */
function lookUp(row: Uint8Array, count: number, rgb: Uint8Array, depth: number, colours: Uint8Array): void {
  const mask = (1 << depth) - 1;
  for (let i = 0, to = 0; i < count; i++) {
    const bit = i * depth;
    const index = ((row[bit >> 3] as number) >> (8 - depth - (bit & 7))) & mask;
    rgb[to++] = colours[index * 3] as number;
    rgb[to++] = colours[index * 3 + 1] as number;
    rgb[to++] = colours[index * 3 + 2] as number;
  }
}

/** Returns 256 RGB triples. Indices beyond the palette are black. */
function paletteColours(palette: Uint8Array): Uint8Array {
  const colours = new Uint8Array(768);
  colours.set(palette.subarray(0, 768));
  return colours;
}

function greyColours(depth: number): Uint8Array {
  const white = (1 << depth) - 1;
  return Uint8Array.from({ length: 3 << depth }, (_, i) => (Math.floor(i / 3) * 255) / white);
}
