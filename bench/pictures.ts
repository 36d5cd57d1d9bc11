import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { BENCH, runNode } from './processes.ts';

export interface Picture {
  /** Its name in the tables. */
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer<ArrayBuffer>;
  /** Media type. */
  readonly type: string;
}

/** Where the drawn pictures are kept. */
const FOLDER = join(BENCH, 'pictures');

/** Media types by file extension. */
const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
};

/** The files of the drawn pictures, by their names in the tables. */
const DRAWN = {
  'JPEG 512 px': 'jpeg-512-reduced.jpg',
  'JPEG 800 px': 'jpeg-800.jpg',
  'PNG 800 px': 'png-800.png',
  'WebP 800 px': 'webp-800.webp',
  'GIF 800 px': 'gif-800.gif',
  'JPEG 12 MP, reduced': 'jpeg-1000-reduced.jpg',
  'JPEG 3 MP': 'jpeg-3mp.jpg',
  'JPEG 12 MP': 'jpeg-12mp.jpg',
  'JPEG 12 MP progressive': 'jpeg-12mp-progressive.jpg',
  'JPEG 48 MP': 'jpeg-48mp.jpg',
  'PNG 2880 x 1800': 'png-2880x1800.png',
  'PNG 3840 x 2160': 'png-3840x2160.png',
  'WebP 8 MP': 'webp-8mp.webp',
} as const;

export type DrawnName = keyof typeof DRAWN;

/** The source of a section's pictures: drawn ones, or a folder of the caller's. */
export class Album {
  readonly #folder: string | undefined;

  /** @param folder photos to use instead of drawn pictures */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  /** Draws the pictures, unless they are there already. */
  async prepare(): Promise<void> {
    if (this.#folder) return;
    const painter = join(BENCH, 'native', 'draw.js');
    const version = createHash('sha256')
      .update(await readFile(painter))
      .digest('hex');
    // Written last: a folder without it, or with that of another version, is incomplete.
    const stamp = join(FOLDER, 'complete');
    if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === version) return;
    await mkdir(FOLDER, { recursive: true });
    await runNode('Drawing pictures', [painter, FOLDER]);
    await writeFile(stamp, version);
  }

  /** These drawn pictures, by default all of them; or every photo of the caller's folder. */
  async pick(names = Object.keys(DRAWN) as readonly DrawnName[]): Promise<[Picture, ...Picture[]]> {
    const folder = this.#folder;
    const files = folder ? (await readdir(folder)).sort() : names.map((name) => DRAWN[name]);
    const photos = files.filter((file) => extname(file).toLowerCase() in TYPES);
    const [first, ...others] = await Promise.all(
      photos.map(async (file, i): Promise<Picture> => {
        const path = join(folder ?? FOLDER, file);
        const name = folder ? file : (names[i] ?? file);
        return { name, path, bytes: await readFile(path), type: TYPES[extname(file).toLowerCase()] ?? '' };
      }),
    );
    if (!first) throw new Error(`${folder} contains no photos`);
    return [first, ...others];
  }
}
