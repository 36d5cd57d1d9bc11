import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { BENCH, runNode } from './processes.ts';

export interface Picture {
  /** How the tables call it. */
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
  /** Media type. */
  readonly type: string;
}

/** Where the drawn pictures lie. */
export const FOLDER = join(BENCH, 'pictures');

/** Media types by the ends of names. */
export const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
};

/** Drawn pictures by the name that the tables give them. */
const DRAWN = {
  'JPEG 12 MP': 'jpeg-12mp.jpg',
  'JPEG 3 MP': 'jpeg-3mp.jpg',
  'JPEG 800 px': 'jpeg-800.jpg',
  'JPEG 512 px': 'jpeg-512-reduced.jpg',
  'JPEG 12 MP, reduced': 'jpeg-1000-reduced.jpg',
  'PNG 800 px': 'png-800.png',
  'WebP 800 px': 'webp-800.webp',
  'GIF 800 px': 'gif-800.gif',
  'JPEG 48 MP': 'jpeg-48mp.jpg',
  'JPEG 12 MP progressive': 'jpeg-12mp-progressive.jpg',
  'PNG 2880 x 1800': 'png-2880x1800.png',
  'PNG 3840 x 2160': 'png-3840x2160.png',
  'WebP 8 MP': 'webp-8mp.webp',
} as const;

export type DrawnName = keyof typeof DRAWN;

/** Where a section's pictures come from: drawn, or a folder of the caller's. */
export class Album {
  readonly #photos: string | undefined;

  /** @param photos a folder of photos; undefined: draw some */
  constructor(photos: string | undefined) {
    this.#photos = photos;
  }

  /** Draws what is missing; a second time this does nothing. */
  async prepare(): Promise<void> {
    if (this.#photos) return;
    const painter = join(BENCH, 'native', 'draw.js');
    const drawnBy = createHash('sha256')
      .update(await readFile(painter))
      .digest('hex');
    // Written last: without it, or with another one, the folder counts for nothing.
    const stamp = join(FOLDER, 'complete');
    if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === drawnBy) return;
    await mkdir(FOLDER, { recursive: true });
    await runNode('Drawing pictures', [painter, FOLDER]);
    await writeFile(stamp, drawnBy);
  }

  /** These drawn pictures, or all photos of the folder whose format is asked for. */
  async pick(names: readonly DrawnName[], formats = /^image\//): Promise<Picture[]> {
    if (this.#photos) return this.#folder(this.#photos, formats);
    return Promise.all(names.map((name) => load(join(FOLDER, DRAWN[name]), name)));
  }

  /** JPEGs large enough for every scale: drawn ones, or the folder's. */
  async large(): Promise<Picture[]> {
    if (this.#photos) {
      const photos = await this.#folder(this.#photos, /jpeg$/);
      return photos.filter(({ bytes }) => bytes.length > 1_000_000);
    }
    const files = (await readdir(FOLDER)).filter((name) => name.startsWith('scales-')).sort();
    return Promise.all(files.map((name) => load(join(FOLDER, name), name)));
  }

  async #folder(folder: string, formats: RegExp): Promise<Picture[]> {
    const names = (await readdir(folder)).sort();
    const wanted = names.filter((name) => formats.test(TYPES[extname(name).toLowerCase()] ?? ''));
    if (wanted.length === 0) throw new Error('The folder has no photos.');
    return Promise.all(wanted.map((name) => load(join(folder, name), name)));
  }
}

async function load(path: string, name: string): Promise<Picture> {
  const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
  return { name, path, bytes: await readFile(path), type };
}
