import { MalformedImage } from '../../errors.ts';
import type { ByteReader } from '../bytes.ts';
import type { Frame, Orientation, Size } from '../codec.ts';
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

/**
 * Applies the transforming properties of an item in their order (ISO/IEC 23008-12, 6.5): `clap`, then any number of
 * `irot` and `imir`. EXIF is ignored, as the standard demands.
 */
export function readTransforms(reader: ByteReader, properties: readonly Box[], size: Size): Transforms {
  let crop: Frame = { x: 0, y: 0, ...size };
  let turns = 0;
  let mirrored: 0 | 1 = 0;
  for (const property of properties) {
    if (property.type === 'clap') {
      if (turns !== 0 || mirrored !== 0) throw new MalformedImage('The file crops its picture after turning it.');
      crop = readCrop(new BoxCursor(reader, property), crop);
    } else if (property.type === 'irot') {
      turns += reader.u8(property.from) & 3;
    } else if (property.type === 'imir') {
      // Mirroring after a turn equals the opposite turn after mirroring. Top to bottom is left to right and a half turn.
      turns = ((reader.u8(property.from) & 1) === 0 ? 2 : 0) - turns;
      mirrored = mirrored === 0 ? 1 : 0;
    }
  }
  const [quarters] = [turns & 3];
  return { crop, orientation: ORIENTATIONS[mirrored][quarters as 0 | 1 | 2 | 3] };
}

/** Reads `clap` (ISO/IEC 14496-12, 12.1.4): width, height and the offsets of the centre, as fractions. */
function readCrop(cursor: BoxCursor, { width, height }: Size): Frame {
  const fraction = (signed: boolean) => {
    const numerator = cursor.next(4);
    return (signed ? numerator | 0 : numerator) / cursor.next(4);
  };
  const size = { width: Math.round(fraction(false)), height: Math.round(fraction(false)) };
  const x = Math.floor(fraction(true) + (width - size.width) / 2);
  const y = Math.floor(fraction(true) + (height - size.height) / 2);
  const inside = x >= 0 && y >= 0 && x + size.width <= width && y + size.height <= height;
  if (!inside || size.width < 1 || size.height < 1) throw new MalformedImage('The file crops its picture wrongly.');
  return { x, y, ...size };
}
