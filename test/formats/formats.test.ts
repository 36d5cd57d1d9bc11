import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { FORMATS_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { type RunningWorker, startWorker } from '../e2e/wrangler.ts';
import { EXCEPTIONS } from './exceptions.ts';
import { drawOthers } from './magick.ts';

/** `npm run test:formats` sends the whole corpus; `npm test` a part that has all cases of their own. */
const isWhole = process.env.FORMATS === 'all';
const EVERY = isWhole ? 1 : 20;
const LEAST = isWhole ? 300 : 60;

/** What float32 rounds. */
const ROUNDING = 1e-4;

const Corpus = z.array(
  z.object({
    name: z.string(),
    /** Allowed mean difference, in 1/255. */
    tolerance: z.number(),
    /** Why Pillow cannot open the file. */
    error: z.string().optional(),
  }),
);

let folder: string;
let worker: RunningWorker;
let corpus: z.infer<typeof Corpus>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-formats-'));
  [worker] = await Promise.all([startWorker({ entry: 'test/parity/worker.ts' }), isWhole && drawOthers(folder)]);
  const { width } = (await readRelease(RELEASE_FOLDER)).manifest.input;
  const args = ['test/formats/corpus.py', folder, '--every', String(EVERY), '--side', String(width)];
  const python = await preparePython(FORMATS_ENVIRONMENT);
  await execa(python, args, { env: pythonEnvironment(), extendEnv: false });
  corpus = Corpus.parse(JSON.parse(await readFile(join(folder, 'corpus.json'), 'utf8')));
}, 600_000);

afterAll(async () => {
  await worker?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What is wrong with the responses to a file, or `undefined`. */
async function inspect(entry: z.infer<typeof Corpus>[number]): Promise<string | undefined> {
  return (await inspectTensor(entry, '')) ?? inspectTensor(entry, '?resize=squeeze');
}

/** @param query `?resize=squeeze` resizes as models do whose manifest says so */
async function inspectTensor(
  { name, error, tolerance }: z.infer<typeof Corpus>[number],
  query: string,
): Promise<string | undefined> {
  const response = await fetch(`${worker.url}/parity/tensor${query}`, {
    method: 'POST',
    body: await readFile(join(folder, name)),
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  const exception = EXCEPTIONS.find((candidate) => candidate.name.test(name));
  if (response.status !== (exception?.status ?? 200)) return `${name}: ${response.status} ${await response.text()}`;
  const tensor = await response.arrayBuffer();
  if (exception || error !== undefined) return undefined;
  const mean = meanDifference(new Float32Array(tensor), await readFile(join(folder, `${name}.rgb`)));
  return mean <= tolerance + ROUNDING ? undefined : `${name}${query}: differs by ${mean.toFixed(2)} / 255`;
}

/** In 1/255; NaN if the lengths differ. */
function meanDifference(tensor: Float32Array, rgb: Uint8Array): number {
  if (tensor.length !== rgb.length) return Number.NaN;
  return rgb.reduce((sum, value, i) => sum + Math.abs((tensor[i] ?? 0) * 255 - value), 0) / rgb.length;
}

test('every file that Pillow opens is accepted, and shows what Pillow shows', async () => {
  expect(corpus.length).toBeGreaterThanOrEqual(LEAST);
  const faults: (string | undefined)[] = [];
  for (const entry of corpus) faults.push(await inspect(entry));
  expect(faults.filter(Boolean)).toEqual([]);
  // An exception that matches no file would be out of date.
  if (!isWhole) return;
  for (const { name } of EXCEPTIONS) expect(corpus.filter((entry) => name.test(entry.name))).not.toEqual([]);
}, 600_000);
