import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import decodeAvif, { init } from '@jsquash/avif/decode.js';
import { execa } from 'execa';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { FORMATS_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { schemas } from '../../src/api/schemas.ts';
import { type RunningWorker, startWorker } from '../e2e/wrangler.ts';
import { codedPicture, ORIENTING, writeHeif } from '../pictures/heif.ts';

/** `npm run test:formats` takes every coding; `npm test` some of each format. */
const EVERY = process.env.FORMATS === 'all' ? 1 : 3;
const WIDTH = 448;
const HEIGHT = 384;
const TILE = 256;
const TILES = [0, 1, 2, 3];
const COLUMNS = 2;

const Files = z.array(
  z.object({
    name: z.string(),
    orientation: z.number(),
    /** The picture that the file shows, if it is stored without loss. */
    picture: z.number().optional(),
  }),
);

let folder: string;
let worker: RunningWorker;
let files: z.infer<typeof Files>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-scores-'));
  worker = await startWorker();
  for (const name of ['husky', 'cat']) {
    const drawing = sharp(`static/samples/${name}.svg`, { density: 144 }).resize(WIDTH, HEIGHT, { fit: 'fill' });
    await drawing
      .flatten({ background: 'white' })
      .removeAlpha()
      .png()
      .toFile(join(folder, `${name}.png`));
  }
  const python = await preparePython(FORMATS_ENVIRONMENT);
  const args = ['test/formats/heif_scores.py', folder, '--every', String(EVERY)];
  await execa(python, args, { env: pythonEnvironment(), extendEnv: false });
  files = Files.parse(JSON.parse(await readFile(join(folder, 'files.json'), 'utf8')));
  await init(await WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(AVIF_MODULE))));
}, 300_000);

afterAll(async () => {
  await worker?.stop();
  await rm(folder, { recursive: true, force: true });
});

const AVIF_MODULE = '@jsquash/avif/codec/dec/avif_dec.wasm';

const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
  Uint8Array.from(await readFile(join(folder, name)));

/** The husky's score, and the size. */
async function predict(bytes: Uint8Array<ArrayBuffer>): Promise<{ score: number; width: number; height: number }> {
  const response = await fetch(`${worker.url}/api/predict`, { method: 'POST', body: bytes });
  expect(response.status).toBe(200);
  const { scores, image } = schemas.Prediction.parse(await response.json());
  return { ...image, score: scores?.find(({ label }) => label === 'husky')?.score ?? Number.NaN };
}

/** The file of a picture that is stored with an orientation: as one picture, and as a grid of tiles. */
async function writeFiles(name: string, orientation: number): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const transforms = ORIENTING[orientation] ?? [];
  const whole = codedPicture(await read(`${name} whole`));
  const tiles = await Promise.all(TILES.map(async (tile) => codedPicture(await read(`${name} ${tile}`))));
  const [width, height] = whole.size;
  const grid = { width, height, columns: COLUMNS };
  return [writeHeif([whole], { transforms }), writeHeif(tiles, { transforms, grid })];
}

/** The decoding of a lossy file by its own library: libavif's published build, or Pillow with libheif. */
async function showPart(name: string, part: number | 'whole'): Promise<Sharp> {
  if (name.startsWith('heic')) return sharp(await read(`${name} ${part}.png`));
  const decoded = await decodeAvif((await read(`${name} ${part}`)).buffer);
  if (!decoded) throw new Error(name);
  const { data, width, height } = decoded;
  return sharp(Uint8Array.from(data), { raw: { width, height, channels: 4 } }).removeAlpha();
}

/** PNGs of what `writeFiles` writes, whose EXIF turns them upright. */
async function show(name: string, orientation: number): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const whole = await showPart(name, 'whole');
  const { width = 0, height = 0 } = await sharp(await whole.clone().png().toBuffer()).metadata();
  const parts = await Promise.all(
    TILES.map(async (tile) => ({
      input: await (await showPart(name, tile)).png().toBuffer(),
      left: (tile % COLUMNS) * TILE,
      top: Math.floor(tile / COLUMNS) * TILE,
    })),
  );
  const side = COLUMNS * TILE;
  const canvas = sharp({ create: { width: side, height: side, channels: 3, background: 'black' } }).composite(parts);
  const grid = sharp(await canvas.png().toBuffer()).extract({ left: 0, top: 0, width, height });
  const pngs = [whole, grid].map((picture) => picture.withMetadata({ orientation }).png().toBuffer());
  return (await Promise.all(pngs)).map((png) => Uint8Array.from(png));
}

/** The network reacts to single grey levels, so these pictures show every inexactness. */
test('the pictures are in the steep part of the scale', async () => {
  const scores: number[] = [];
  for (const picture of [0, 1, 2, 3, 4]) scores.push((await predict(await read(`picture ${picture}.png`))).score);
  expect(scores.filter((score) => score > 0.08 && score < 0.92).length).toBeGreaterThanOrEqual(4);
});

test('an AVIF or HEIC scores as a PNG of what it shows, however it is coded, tiled and turned', async () => {
  for (const { name, orientation, picture } of files) {
    // Lossless ones show the picture itself. Encoders lose more than 0.02 on these pictures: 8 bits of YCbCr alone do.
    const original = picture === undefined ? undefined : await read(`picture ${picture}.png`);
    const expected = original ? [original, original] : await show(name, orientation);
    for (const [i, file] of (await writeFiles(name, orientation)).entries()) {
      const png = expected[i];
      if (!png) throw new Error(name);
      const { score, ...size } = await predict(file);
      const same = await predict(png);
      const kind = `${name}, ${i === 0 ? 'single' : 'grid'}`;
      expect(size, kind).toMatchObject({ width: WIDTH, height: HEIGHT });
      expect.soft(Math.abs(score - same.score), kind).toBeLessThan(0.002);
    }
  }
}, 600_000);
