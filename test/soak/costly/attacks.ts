import { drawCostlyGif } from './gif.ts';
import { drawCostlyPng, type PngRecipe } from './png.ts';

const square = (side: number) => ({ width: side, height: side });

const zeros = (recipe: Partial<PngRecipe>) =>
  drawCostlyPng({
    ...{ ...square(10), depth: 1, colour: 0, interlaced: false, filter: 0, noise: false, level: 9 },
    ...{ emptyBlocks: 0, chunkBytes: 65_536, textChunks: 0, texts: 'none', ...recipe },
  });

/** Small files that once stalled the service, and the costliest one of their kind that it accepts. */
export const ATTACKS: readonly { readonly name: string; readonly type: string; draw(): Buffer }[] = [
  { type: 'image/png', name: 'PNG of 28000 x 28000, 1 bit', draw: () => zeros(square(28_000)) },
  {
    type: 'image/png',
    name: 'PNG of 511 x 1,500,000, 1 bit, interlaced',
    draw: () => zeros({ width: 511, height: 1_500_000, interlaced: true }),
  },
  {
    type: 'image/png',
    name: 'PNG of 8 x 4,300,000, 1 bit, interlaced',
    draw: () => zeros({ width: 8, height: 4_300_000, interlaced: true }),
  },
  {
    type: 'image/png',
    name: 'PNG of 1,000,000 chunks',
    draw: () => zeros({ width: 3_300, height: 100, depth: 8, colour: 2, noise: true, level: 0, chunkBytes: 1 }),
  },
  {
    type: 'image/gif',
    name: 'GIF of 7071 x 7071, its frame 1 x 1',
    draw: () =>
      drawCostlyGif({
        canvas: square(7071),
        frame: square(1),
        interlaced: false,
        codes: 'runs',
        blockBytes: 255,
        before: 'extensions',
        count: 0,
      }),
  },
  { type: 'image/png', name: 'PNG of 11000 x 11000, 1 bit', draw: () => zeros(square(11_000)) },
];
