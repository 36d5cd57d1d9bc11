import { Canvas, type Rgb } from '../canvas.ts';
import type { Pause, Pixels, ReductionTarget } from '../codec.ts';
import { Pacer } from '../pacer.ts';
import { addingNanoseconds } from '../reduction.ts';
import type { GifHeader } from './header.ts';
import { unpackLzw } from './lzw.ts';

/** First row and row distance of each pass of an interlaced frame (GIF89a, appendix E). */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

/** Nanoseconds on the benchmark machine for looking up a pixel's colour. */
const PIXEL_COST = 3;

/** Estimated nanoseconds for turning indices into colours. */
export function pixelNanoseconds(pixels: number): number {
  return pixels * PIXEL_COST;
}

/** Decodes the first frame, which must be complete. As in Pillow, transparent pixels keep their palette colour. */
export async function decodeGif(
  bytes: Uint8Array,
  header: GifHeader,
  target: ReductionTarget,
  pause: Pause,
): Promise<Pixels> {
  const { frame } = header;
  const pacer = new Pacer(pause);
  const indices = await unpackLzw(bytes, header.data, frame.width * frame.height, pacer);
  const rowCost = pixelNanoseconds(frame.width) + addingNanoseconds(1, header.width, header, target);
  const colours = expandPalette(header.palette);
  const canvas = new Canvas(header, frame, colourOf(colours, header.background), target);
  const row = new Uint8Array(frame.width * 4);
  const stored = storedRows(frame.height, header.interlaced);
  for (let y = 0; y < frame.height; y++) {
    for (let x = 0, from = (stored[y] as number) * frame.width; x < frame.width; x++, from++) {
      const colour = (indices[from] as number) * 3;
      row[x * 4] = colours[colour] as number;
      row[x * 4 + 1] = colours[colour + 1] as number;
      row[x * 4 + 2] = colours[colour + 2] as number;
    }
    canvas.add(y, row);
    if (pacer.count(rowCost)) await pacer.pause();
  }
  return canvas.finish();
}

/** Returns 256 RGB triples: the palette's colours, then black; without a palette, shades of grey. */
function expandPalette(palette: Uint8Array): Uint8Array {
  if (palette.length === 0) return Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  const colours = new Uint8Array(768);
  colours.set(palette);
  return colours;
}

function colourOf(colours: Uint8Array, index: number): Rgb {
  return [colours[index * 3] as number, colours[index * 3 + 1] as number, colours[index * 3 + 2] as number];
}

/** Returns the stored row of each row of the frame. */
function storedRows(height: number, interlaced: boolean): Uint16Array {
  const rows = new Uint16Array(height);
  let stored = 0;
  for (const [first, step] of interlaced ? PASSES : ([[0, 1]] as const)) {
    for (let y = first; y < height; y += step) rows[y] = stored++;
  }
  return rows;
}
