import { ImageTooLarge, MalformedImage } from '../../errors.ts';
import type { Pause, Pixels, ReductionTarget, Size } from '../codec.ts';
import { countGarbage } from '../garbage.ts';
import { Pacer } from '../pacer.ts';
import type { Reducer } from '../reducer.ts';
import { addingNanoseconds, createReducer } from '../reduction.ts';
import { catchFailures } from './emscripten.ts';
import type { HeifPicture, Tile } from './picture.ts';

/** A decoded tile. `row` returns RGB or RGBA and reuses its array. */
export interface DecodedTile extends Size {
  readonly channels: 3 | 4;
  row(y: number): Uint8Array;
}

/** Decodes the tiles of one photo. Each instance serves only one: it starts large, so keeping it would not pay. */
export interface TileDecoder {
  /** Memory in bytes that it takes. */
  readonly bytes: number;
  /** Whether it wanted more than was budgeted. */
  readonly exhausted: boolean;
  /** Calls `draw` while the decoded tile is in memory. */
  decode(tile: Tile, draw: (decoded: DecodedTile) => void): void;
}

/** Decodes tile by tile, and reduces each at once, so memory does not grow with the number of tiles. */
export async function decodeHeif(
  picture: HeifPicture,
  target: ReductionTarget,
  createDecoder: () => TileDecoder,
  tileNanoseconds: number,
  pause: Pause,
): Promise<Pixels> {
  let bytes = 0;
  const work = async (): Promise<Pixels> => {
    const decoder = catchFailures(createDecoder);
    bytes = decoder.bytes;
    const reducer = createReducer(picture, target);
    const pacer = new Pacer(pause);
    for (const [i, tile] of picture.tiles.entries()) {
      decodeTile(decoder, tile, (decoded) => drawTile(reducer, picture, i, decoded));
      bytes = decoder.bytes;
      if (pacer.count(tileNanoseconds)) await pacer.pause();
    }
    return reducer.finish();
  };
  try {
    return await work();
  } finally {
    countGarbage(bytes);
  }
}

/**
 * Decodes a tile of exactly one picture.
 *
 * @throws {ImageTooLarge} it failed for lack of memory: what coded data needs is estimated, and not always right
 */
function decodeTile(decoder: TileDecoder, tile: Tile, draw: (decoded: DecodedTile) => void): void {
  let drawn = 0;
  try {
    catchFailures(() =>
      decoder.decode(tile, (decoded) => {
        if (++drawn > 1) throw new MalformedImage('The file has a tile with several pictures.');
        draw(decoded);
      }),
    );
    if (drawn === 0) throw new MalformedImage('The photo is damaged.');
  } catch (error) {
    if (!(error instanceof MalformedImage) || !decoder.exhausted) throw error;
    throw new ImageTooLarge('This photo needs more memory than is free. Saved as a JPEG, it would fit.', {
      cause: error,
    });
  }
}

/** Adds the part of a tile that is inside the cropped picture. */
function drawTile(reducer: Reducer, { columns, tileSize, crop }: HeifPicture, index: number, tile: DecodedTile): void {
  if (tile.width !== tileSize.width || tile.height !== tileSize.height) {
    throw new MalformedImage('The photo is damaged: its size is not the announced one.');
  }
  const x = (index % columns) * tileSize.width - crop.x;
  const y = Math.floor(index / columns) * tileSize.height - crop.y;
  const left = Math.max(0, -x);
  const count = Math.min(tile.width, crop.width - x) - left;
  if (count <= 0) return;
  for (let row = Math.max(0, -y); row < Math.min(tile.height, crop.height - y); row++) {
    const pixels = tile.row(row).subarray(left * tile.channels, (left + count) * tile.channels);
    reducer.add(y + row, pixels, tile.channels, count, x + left);
  }
}

/** Number of pixels that are decoded for each pixel of the picture: more than 1 if it is cropped or tiles overlap its edge. */
export function codedRatio({ tiles, tileSize, width, height }: HeifPicture): number {
  return (tiles.length * tileSize.width * tileSize.height) / (width * height);
}

/** Estimated nanoseconds for adding all tiles to the reducer. */
export function drawingNanoseconds(size: Size, columns: number, target: ReductionTarget): number {
  return columns * addingNanoseconds(size.height, size.width / columns, size, target);
}

/** Height of the rows of tiles, in which pixels arrive tile by tile. */
export function bandHeight({ columns, tileSize }: HeifPicture): number {
  return columns > 1 ? tileSize.height : 1;
}
