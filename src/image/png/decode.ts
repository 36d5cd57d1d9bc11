import { MalformedImage } from '../../errors.ts';
import type { Pause, Pixels, ReductionTarget, Size } from '../codec.ts';
import { Pacer } from '../pacer.ts';
import type { Reducer } from '../reducer.ts';
import { addingNanoseconds, createReducer } from '../reduction.ts';
import { bitsPerPixel, createRowConverter, isPlainRgb } from './colour.ts';
import { imageData, type PngHeader } from './header.ts';
import { inflate } from './inflate.ts';
import { unfilter } from './unfilter.ts';

/** A sub-picture: the position of its first pixel and the distance between its pixels. */
interface Pass extends Size {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
}

/** x, y, stepX, stepY of Adam7 (W3C PNG, clause 8). */
export const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const WHOLE = [[0, 0, 1, 1]] as const;

/** Bytes of one stored row, without the filter byte. */
export function rowBytes(width: number, header: PngHeader): number {
  return Math.ceil((width * bitsPerPixel(header)) / 8);
}

/** Nanoseconds on the benchmark machine: inflating and unfiltering a byte, converting a pixel to RGB, starting a row. */
const COST = { byte: 5, pixel: 3, row: 450 } as const;

/** Estimated nanoseconds for a row: inflated, unfiltered, converted and reduced. */
export function rowNanoseconds(width: number, header: PngHeader, target: ReductionTarget): number {
  const converted = isPlainRgb(header) ? 0 : width * COST.pixel;
  return COST.row + rowBytes(width, header) * COST.byte + converted + addingNanoseconds(1, width, header, target);
}

/** Decodes and reduces row by row, so memory does not grow with the number of pixels. */
export async function decodePng(
  bytes: Uint8Array,
  header: PngHeader,
  target: ReductionTarget,
  pause: Pause,
): Promise<Pixels> {
  const reducer = createReducer(header, target);
  const pacer = new Pacer(pause);
  const rows = consumeRows(header, reducer, (width) => rowNanoseconds(width, header, target), pacer);
  rows.next();
  let isComplete = false;
  for await (const block of inflate(imageData(bytes, header.data), pacer, header.data.isIntact)) {
    if (isComplete) throw new MalformedImage('The PNG is damaged.');
    isComplete = rows.next(block).done === true;
    if (isComplete && header.data.isIntact) break;
    if (pacer.count(0)) await pacer.pause();
  }
  // Without a right CRC, the loop continues to the end of the stream, where inflate verifies zlib's own checksum.
  if (!isComplete) throw new MalformedImage('The PNG is truncated.');
  return reducer.finish();
}

/**
 * Splits blocks of inflated bytes into rows and adds them to the reducer. Done after the last row.
 *
 * @param costOf returns the nanoseconds that a row of a width takes
 */
function* consumeRows(
  header: PngHeader,
  reducer: Reducer,
  costOf: (width: number) => number,
  pacer: Pacer,
): Generator<undefined, void, Uint8Array> {
  const distance = Math.ceil(bitsPerPixel(header) / 8);
  const add = createAddRow(header, reducer);
  let block = yield;
  let at = 0;
  for (const pass of passesOf(header)) {
    const cost = costOf(pass.width);
    let above = new Uint8Array(rowBytes(pass.width, header));
    let row = new Uint8Array(above.length);
    for (let i = 0; i < pass.height; i++) {
      if (at === block.length) [block, at] = [yield, 0];
      const filter = block[at++] as number;
      for (let filled = 0; filled < row.length; ) {
        if (at === block.length) [block, at] = [yield, 0];
        const part = block.subarray(at, at + row.length - filled);
        row.set(part, filled);
        filled += part.length;
        at += part.length;
      }
      unfilter(filter, row, above, distance);
      add(row, pass, pass.y + i * pass.stepY);
      [row, above] = [above, row];
      pacer.count(cost);
    }
  }
}

type AddRow = (row: Uint8Array, pass: Pass, y: number) => void;

/** Returns a function that adds a row to the reducer, converted to RGB if necessary. */
function createAddRow(header: PngHeader, reducer: Reducer): AddRow {
  if (isPlainRgb(header)) {
    const channels = header.colour === 'rgb' ? 3 : 4;
    return (row, pass, y) => reducer.add(y, row, channels, pass.width, pass.x, pass.stepX);
  }
  const convert = createRowConverter(header);
  const rgb = new Uint8Array(header.width * 3);
  return (row, pass, y) => {
    convert(row, pass.width, rgb);
    reducer.add(y, rgb, 3, pass.width, pass.x, pass.stepX);
  };
}

export function passesOf({ width, height, interlaced }: PngHeader): Pass[] {
  return (interlaced ? ADAM7 : WHOLE)
    .map(([x, y, stepX, stepY]) => ({
      x,
      y,
      stepX,
      stepY,
      width: Math.ceil((width - x) / stepX),
      height: Math.ceil((height - y) / stepY),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}
