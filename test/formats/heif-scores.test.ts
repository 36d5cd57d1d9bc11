import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { FORMATS_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { schemas } from '../../src/api/schemas.ts';
import { type RunningWorker, startWorker } from '../e2e/wrangler.ts';
import { codedPicture, ORIENTING, writeHeif } from '../pictures/heif.ts';

/** `npm run test:formats` takes every coding; `npm test` one of each format. */
const EVERY = process.env.FORMATS === 'all' ? 1 : 4;
const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8];
const TILES = [0, 1, 2, 3];
const COLUMNS = 2;

let folder: string;
let worker: RunningWorker;
let codings: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-scores-'));
  worker = await startWorker();
  const python = await preparePython(FORMATS_ENVIRONMENT);
  const args = ['test/formats/heif_scores.py', folder, '--every', String(EVERY)];
  await execa(python, args, { env: pythonEnvironment(), extendEnv: false });
  codings = z.array(z.string()).parse(JSON.parse((await read('codings.json')).toString()));
}, 300_000);

afterAll(async () => {
  await worker?.stop();
  await rm(folder, { recursive: true, force: true });
});

const read = (name: string) => readFile(join(folder, name));

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

test('an AVIF or HEIC scores as the same picture in a PNG, however it is coded, tiled and turned', async () => {
  const upright = await predict(Uint8Array.from(await read('upright.png')));
  // Near the ends of the scale, a turned picture could score alike.
  expect(upright.score).toBeGreaterThan(0.08);
  expect(upright.score).toBeLessThan(0.9);
  for (const coding of codings) {
    for (const orientation of ORIENTATIONS) {
      const name = `${coding} ${orientation}`;
      for (const [i, file] of (await writeFiles(name, orientation)).entries()) {
        const { score, ...size } = await predict(file);
        const kind = `${name}, ${i === 0 ? 'single' : 'grid'}`;
        expect(size, kind).toMatchObject({ width: upright.width, height: upright.height });
        expect.soft(Math.abs(score - upright.score), kind).toBeLessThan(0.02);
      }
    }
  }
}, 300_000);
