import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRelease } from '../../registry/release.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { type Comparison, comparePhoto, summarise } from '../parity/compare.ts';
import { PythonReference, type ReferencePhoto } from '../parity/reference.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

const run = promisify(execFile);
const python = (...args: string[]) => run(process.execPath, ['scripts/python.ts', ...args]);

let folder: string;
let worker: RunningWorker;
let reference: PythonReference;
let photos: string[];
let manifest: Manifest;

// The whole chain with another model: draw shapes, train a small network on them, convert it and serve it.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-chain-'));
  const [data, model, release] = ['data', 'model', 'release'].map((name) => join(folder, name));
  if (!data || !model || !release) throw new Error('no folders');
  await python('test/model/draw_shapes.py', data);
  const quick = ['--network', 'small', '--size', '64', '--batch-size', '8', '--epochs', '6'];
  await python('-m', 'model.training.train', '--data', data, ...quick, '--out', model);
  const file = join(model, 'huskymodel.h5');
  // The scores of so small a network for junk images do not matter here.
  const options = ['--name', 'shapes', '--labels', 'disc,bars', '--allow-junk'];
  await python('-m', 'convert.convert', file, ...options, '--out', release);
  worker = await startWorker({ entry: 'test/parity/worker.ts', release });
  ({ manifest } = await readRelease(release));
  reference = new PythonReference(file, release);
  photos = await listFiles(join(data, 'validation', 'husky'), join(data, 'validation', 'nothusky'));
}, 900_000);

afterAll(async () => {
  reference?.close();
  await worker?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function listFiles(...folders: string[]): Promise<string[]> {
  const lists = await Promise.all(
    folders.map(async (name) => (await readdir(name)).sort().map((file) => join(name, file))),
  );
  return lists.flat();
}

async function compareAll(photosToCompare: readonly ReferencePhoto[]): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const photo of photosToCompare) {
    comparisons.push(await comparePhoto(worker.url, reference, photo, manifest.labels));
  }
  return comparisons;
}

test('the Worker’s tensors and scores match those of Pillow and Keras', async () => {
  const summary = summarise(await compareAll(photos.map((file) => ({ file }))), manifest.threshold);
  expect(summary.tensorWorstMean).toBeLessThan(1);
  expect(summary.scoreMean).toBeLessThan(0.003);
  expect(summary.scoreMax).toBeLessThan(0.03);
  expect(summary.verdicts).toEqual([]);
  // Similar scores would match whatever the Worker did.
  expect(summary.above09).toBeGreaterThan(0.25);
  expect(summary.below01).toBeGreaterThan(0.25);
}, 300_000);

test('large photos, which are decoded at a reduced scale, match closely', async () => {
  const some = photos.filter((_, index) => index % 20 === 0);
  const enlarged = some.map((file, index) => ({
    file,
    size: [2000, 1500] as const,
    grain: 8,
    quality: 90,
    seed: index,
    out: join(folder, `${index}.jpg`),
  }));
  const summary = summarise(await compareAll(enlarged), manifest.threshold);
  expect(summary.photos).toBeGreaterThanOrEqual(5);
  expect(summary.tensorWorstMean).toBeLessThan(3);
  expect(summary.scoreMean).toBeLessThan(0.01);
});

test('the API reports the labels of the converted model', async () => {
  const model = await (await fetch(`${worker.url}/api/model`)).json();
  expect(model).toMatchObject({
    name: 'shapes',
    labels: ['disc', 'bars'],
    source: { file: 'huskymodel.h5' },
  });
});
