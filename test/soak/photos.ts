import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Album, FOLDER, TYPES } from '../../bench/pictures.ts';
import { installDependencies } from '../../bench/processes.ts';

export interface Photo {
  readonly name: string;
  readonly bytes: Buffer;
  /** Media type. */
  readonly type: string;
}

/** What a soak sends. */
export interface Photos {
  /** 512 pixels wide, as browsers send them, in all formats. */
  readonly small: readonly Photo[];
  /** As cameras make them, with their weights among about 10,000 requests. */
  readonly large: readonly { readonly photo: Photo; readonly weight: number }[];
}

const WEIGHTS = {
  'JPEG 800 px': 60,
  'PNG 800 px': 40,
  'JPEG 3 MP': 60,
  'JPEG 12 MP': 80,
  'JPEG 12 MP progressive': 10,
  'JPEG 48 MP': 8,
  'PNG 3840 x 2160': 5,
  'WebP 8 MP': 8,
} as const;

const LARGE = Object.entries(WEIGHTS);

/** The benchmarks' drawn pictures, with these names; draws what is missing. */
export async function pickPhotos(...names: Parameters<Album['pick']>[0]): Promise<Photo[]> {
  await installDependencies();
  const album = new Album(undefined);
  await album.prepare();
  return album.pick(names);
}

export async function loadPhotos(): Promise<Photos> {
  const large = await pickPhotos(...(Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]));
  const names = (await readdir(FOLDER)).filter((name) => name.startsWith('small-')).sort();
  const small = names.map(async (name) => {
    const type = TYPES[extname(name)] ?? '';
    return { name, bytes: await readFile(join(FOLDER, name)), type };
  });
  return {
    small: await Promise.all(small),
    large: large.map((photo, i) => ({ photo, weight: LARGE[i]?.[1] ?? 1 })),
  };
}
