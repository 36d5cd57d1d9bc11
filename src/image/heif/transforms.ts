import { MalformedImage } from '../../errors.ts';
import type { ByteReader } from '../bytes.ts';
import type { Frame, Orientation, Size } from '../codec.ts';
import { isOnItsSide, upright } from '../orientation.ts';
import { type Box, BoxCursor } from './boxes.ts';

/** What to cut out of a picture, and how to turn it upright. */
export interface Transforms {
  readonly crop: Frame;
  readonly orientation: Orientation;
}

/** Indexed by whether the picture is first mirrored left to right, and by the quarter turns anticlockwise after that. */
const ORIENTATIONS = [
  [1, 8, 3, 6],
  [2, 5, 4, 7],
] as const;

/** Applies `clap`, `irot` and `imir` in their order (ISO/IEC 23008-12, 6.5). EXIF is ignored, as the standard demands. */
export function readTransforms(reader: ByteReader, properties: readonly Box[], size: Size): Transforms {
  let crop: Frame = { x: 0, y: 0, ...size };
  let turns = 0;
  let mirrored: 0 | 1 = 0;
  for (const property of properties) {
    if (property.type === 'clap') {
      crop = cropTurned(new BoxCursor(reader, property), crop, orientationOf(turns, mirrored));
    } else if (property.type === 'irot') {
      turns += reader.u8(property.from) & 3;
    } else if (property.type === 'imir') {
      // Mirroring after a turn equals the opposite turn after mirroring. Top to bottom is left to right and a half turn.
      turns = ((reader.u8(property.from) & 1) === 0 ? 2 : 0) - turns;
      mirrored = mirrored === 0 ? 1 : 0;
    }
  }
  return { crop, orientation: orientationOf(turns, mirrored) };
}

function orientationOf(turns: number, mirrored: 0 | 1): Orientation {
  return ORIENTATIONS[mirrored][(turns & 3) as 0 | 1 | 2 | 3];
}

/** Crops a part of the stored picture, which is turned before. */
function cropTurned(cursor: BoxCursor, part: Frame, orientation: Orientation): Frame {
  const turned = readCrop(cursor, upright(part, orientation));
  const size = upright(turned, orientation);
  const { x, y } = isOnItsSide(orientation) ? { x: turned.y, y: turned.x } : turned;
  return {
    ...size,
    x: part.x + (FROM_RIGHT.includes(orientation) ? part.width - size.width - x : x),
    y: part.y + (FROM_BOTTOM.includes(orientation) ? part.height - size.height - y : y),
  };
}

/** Orientations in which the upright picture's top left is on the right, or at the bottom, of the stored one. */
const FROM_RIGHT: readonly Orientation[] = [2, 3, 7, 8];
const FROM_BOTTOM: readonly Orientation[] = [3, 4, 6, 7];

/**
 * Reads `clap` (ISO/IEC 14496-12, 12.1.4): width, height and the offsets of the centre, as fractions. As in libheif, the
 * top is rounded, the left is rounded down, and what is outside of the picture is ignored.
 */
function readCrop(cursor: BoxCursor, { width, height }: Size): Frame {
  const fraction = (signed: boolean) => {
    const numerator = cursor.next(4);
    return (signed ? numerator | 0 : numerator) / cursor.next(4);
  };
  const size = { width: Math.round(fraction(false)), height: Math.round(fraction(false)) };
  const x = Math.floor(fraction(true) + (width - size.width) / 2);
  const y = Math.round(fraction(true) + (height - size.height) / 2);
  const [left, right] = [Math.max(0, x), Math.min(width, x + size.width)];
  const [top, bottom] = [Math.max(0, y), Math.min(height, y + size.height)];
  // A denominator of 0 makes these NaN.
  if (!(right > left && bottom > top)) throw new MalformedImage('The file crops its picture wrongly.');
  return { x: left, y: top, width: right - left, height: bottom - top };
}
