import sharp from 'sharp';
import { Album, type DrawnName } from '../../bench/pictures.ts';

export interface File {
  readonly bytes: Buffer;
  /** Media type. */
  readonly type: string;
}

export interface Photo extends File {
  readonly name: string;
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

const FORMATS = {
  jpeg: { quality: 85 },
  webp: { quality: 80, effort: 2 },
  png: {},
  gif: { effort: 1, dither: 0 },
} as const;

/** Parts of a photo, as shares of its width and height. Each has a score of its own. */
const PARTS = [
  { size: 0.75, left: 0, top: 0 },
  { size: 0.5, left: 0.475, top: 0.3 },
  { size: 0.3, left: 0.175, top: 0.5 },
  { size: 0.15, left: 0.75, top: 0.1 },
  { size: 0.4, left: 0.55, top: 0.55 },
  { size: 0.2, left: 0.05, top: 0.75 },
];

/** The benchmarks' drawn pictures, with these names; draws what is missing. */
export async function pickPhotos(...names: DrawnName[]): Promise<Photo[]> {
  const album = new Album();
  await album.prepare();
  return album.pick(names);
}

export async function loadPhotos(): Promise<Photos> {
  const large = await pickPhotos(...(Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]));
  const sources = large.filter(({ name }) => name === 'JPEG 12 MP' || name === 'JPEG 3 MP');
  return {
    small: (await Promise.all(sources.map(cropPhoto))).flat(),
    large: large.map((photo, i) => ({ photo, weight: Object.values(WEIGHTS)[i] ?? 1 })),
  };
}

/** Saves parts of a photo in all formats, 512 pixels wide. */
async function cropPhoto({ name, bytes }: Photo): Promise<Photo[]> {
  const { width, height } = await sharp(bytes).metadata();
  const crops = PARTS.flatMap((part, i) => {
    const [left, top] = [Math.round(part.left * width), Math.round(part.top * height)];
    const area = { left, top, width: Math.round(part.size * width), height: Math.round(part.size * height) };
    const crop = sharp(bytes).extract(area).resize(512);
    return Object.entries(FORMATS).map(async ([format, options]) => ({
      name: `part ${i} of ${name}.${format}`,
      bytes: await crop
        .clone()
        .toFormat(format as keyof typeof FORMATS, options)
        .toBuffer(),
      type: `image/${format}`,
    }));
  });
  return Promise.all(crops);
}
