/**
 * `npm run parity -- --data DIR [--count N] [--model FILE --release DIR] [--input-range RANGE --activation NAME --output NAME]
 *                   [--enlarge WxH --grain N --quality N]`
 *
 * Sends N photos, half from DIR/husky and half from DIR/nothusky (or from DIR/validation/…, or any in DIR), through the Worker in
 * workerd and through Pillow and Keras, and prints how much the results differ. FILE is what the version in --release was converted
 * from, with the options after it. --enlarge makes the photos as large as a phone's, so that JPEGs are decoded at a reduced scale.
 * Fails if the differences exceed the limits below.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../../registry/command.ts';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { startWorker } from '../e2e/wrangler.ts';
import { type Comparison, comparePhoto, type Summary, summarise } from './compare.ts';
import { PythonReference, type ReferencePhoto } from './reference.ts';

/**
 * Largest differences: the mean of the tensors in 1/255, the mean and the maximum of the scores. `exact` is for models whose
 * manifest says how photos are resized.
 */
const LIMITS = {
  exact: { tensorMean: 0.2, scoreMean: 0.002, scoreMax: 0.005 },
  small: { tensorMean: 1, scoreMean: 0.003, scoreMax: 0.03 },
  enlarged: { tensorMean: 3, scoreMean: 0.01, scoreMax: Number.POSITIVE_INFINITY },
} as const;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    count: { type: 'string', default: '200' },
    model: { type: 'string', default: 'model/huskymodel.h5' },
    'input-range': { type: 'string' },
    activation: { type: 'string' },
    output: { type: 'string' },
    release: { type: 'string', default: RELEASE_FOLDER },
    enlarge: { type: 'string' },
    grain: { type: 'string', default: '8' },
    quality: { type: 'string', default: '92' },
  },
});

/** `count` photos, spread evenly over the folder's files in alphabetical order. */
async function pickPhotos(folder: string, count: number): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => /\.(jpe?g|png|gif|webp)$/i.test(name)).sort();
  if (files.length === 0) throw new Error(`${folder} contains no photos`);
  const taken = Math.min(count, files.length);
  return Array.from({ length: taken }, (_, index) => {
    const file = files[Math.floor((index * files.length) / taken)];
    return join(folder, file ?? '');
  });
}

async function pickHalves(data: string, count: number): Promise<string[]> {
  const folder = existsSync(join(data, 'validation')) ? join(data, 'validation') : data;
  if (!existsSync(join(folder, 'husky'))) return pickPhotos(folder, count);
  const half = Math.ceil(count / 2);
  return [...(await pickPhotos(join(folder, 'husky'), half)), ...(await pickPhotos(join(folder, 'nothusky'), half))];
}

function toReferencePhoto(file: string, index: number, folder: string): ReferencePhoto {
  if (!values.enlarge) return { file };
  const [width, height] = values.enlarge.split('x').map(Number);
  if (!width || !height) throw new Error('--enlarge takes a size such as 4000x3000');
  const { grain, quality } = values;
  const out = join(folder, `${index}.jpg`);
  return { file, size: [width, height], grain: Number(grain), quality: Number(quality), seed: index, out };
}

function print(summary: Summary): void {
  const fixed = (value: number, digits: number) => value.toFixed(digits);
  console.log(`photos                       ${summary.photos}`);
  console.log(`tensors, mean difference     ${fixed(summary.tensorMean, 3)} / 255`);
  console.log(`tensors, worst photo's mean  ${fixed(summary.tensorWorstMean, 3)} / 255`);
  console.log(`tensors, largest difference  ${fixed(summary.tensorMax, 1)} / 255`);
  console.log(`scores, mean difference      ${fixed(summary.scoreMean, 5)}`);
  console.log(`scores, largest difference   ${fixed(summary.scoreMax, 5)}`);
  console.log(
    `scores above 0.9, below 0.1  ${fixed(summary.above09 * 100, 0)} %, ${fixed(summary.below01 * 100, 0)} %`,
  );
  console.log(`different verdicts           ${summary.verdicts.length}`);
  for (const file of summary.verdicts) console.log(`  ${basename(file)}`);
}

async function main(): Promise<void> {
  if (!values.data) throw new Error('--data takes a folder of photos');
  const files = await pickHalves(values.data, Number(values.count));
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-parity-'));
  const worker = await startWorker({ entry: 'test/parity/worker.ts', release: values.release });
  const { labels, threshold, input } = (await readRelease(values.release)).manifest;
  const { model, 'input-range': range, activation, output } = values;
  const reference = new PythonReference(model, values.release, {
    ...(range && { 'input-range': range }),
    ...(activation && { activation }),
    ...(output && { output }),
  });
  try {
    const comparisons: Comparison[] = [];
    for (const [index, file] of files.entries()) {
      const photo = toReferencePhoto(file, index, folder);
      comparisons.push(await comparePhoto(worker.url, reference, photo, labels));
      if (photo.out) await rm(photo.out);
      if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${files.length} `);
    }
    if (process.stderr.isTTY) process.stderr.write('\r');
    const summary = summarise(comparisons, threshold);
    print(summary);
    const limits = LIMITS[input.resize !== undefined ? 'exact' : values.enlarge ? 'enlarged' : 'small'];
    const names = ['tensorMean', 'scoreMean', 'scoreMax'] as const;
    const exceeded = names.filter((name) => !(summary[name] <= limits[name]));
    for (const name of exceeded) console.error(`${name} exceeds its limit of ${limits[name]}`);
    if (exceeded.length > 0) process.exitCode = 1;
  } finally {
    await reference.close();
    await worker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

runCommand(main);
