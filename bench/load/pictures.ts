import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type Album, FOLDER, type Picture, TYPES } from '../pictures.ts';
import { BENCH, runNode } from '../processes.ts';

/** The photos that the load consists of. */
export interface LoadPictures {
  /** As browsers send them: 512 pixels, all formats, each with a score of its own. */
  readonly small: readonly Picture[];
  /** As cameras make them, each with how often it comes among 10,000 requests. */
  readonly large: readonly { readonly picture: Picture; readonly weight: number }[];
}

const SMALL = join(FOLDER, 'load');

/** Draws the small ones where that has not been done, and reads all. */
export async function loadPictures(album: Album): Promise<LoadPictures> {
  if (!existsSync(join(SMALL, 'complete'))) {
    await runNode('Drawing small pictures', [join(BENCH, 'load', 'draw.js'), FOLDER, SMALL]);
  }
  const names = (await readdir(SMALL)).filter((name) => extname(name) in TYPES).sort();
  const small = names.map(async (name): Promise<Picture> => {
    const path = join(SMALL, name);
    return { name, path, bytes: await readFile(path), type: TYPES[extname(name)] ?? '' };
  });
  const weights = {
    'JPEG 800 px': 60,
    'PNG 800 px': 40,
    'JPEG 3 MP': 60,
    'JPEG 12 MP': 80,
    'JPEG 12 MP progressive': 10,
    'JPEG 48 MP': 8,
    'PNG 3840 x 2160': 5,
    'WebP 8 MP': 8,
  } as const;
  const pictures = await album.pick(Object.keys(weights) as (keyof typeof weights)[]);
  const large = pictures.map((picture, i) => ({ picture, weight: Object.values(weights)[i] ?? 1 }));
  return { small: await Promise.all(small), large };
}
