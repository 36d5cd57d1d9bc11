import { codedPicture, writeHeif } from '../../pictures/heif.ts';
import heif from './heif.json' with { type: 'json' };
import { expectedBytes, fromBase64 } from './pictures.ts';

/** Files whose picture consists of 2 x 2 tiles, and Pillow's RGB bytes of the whole picture. */
export const heifGrids = heif.grids.map(({ name, width, height, tiles, expected }) => {
  const coded = tiles.map((tile) => codedPicture(fromBase64(tile)));
  const grid = { width, height, columns: 2 };
  return { name, tiles: coded, grid, bytes: writeHeif(coded, { grid }), expected: expectedBytes(expected) };
});
