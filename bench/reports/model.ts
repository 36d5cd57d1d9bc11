import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const MODEL = join(import.meta.dirname, '..', '..', 'model');

const Scores = z.object({ auc: z.number(), balanced_accuracy: z.number() });

const Metrics = z.object({
  network: z.object({ parameters: z.number() }),
  validation: Scores.extend({ photos: z.number() }),
});

const Comparison = z.object({ classic: Scores });

const Manifest = z.object({
  files: z.object({ 'model.onnx': z.object({ bytes: z.number() }) }),
  junk: z.object({ pictures: z.number(), maximum: z.number(), failures: z.record(z.string(), z.number()) }),
});

/** What pages may quote of the committed model: from what training, comparing and converting have written. */
export async function modelFigures(): Promise<Record<string, string>> {
  const [metrics, comparison, manifest] = await Promise.all([
    read('metrics.json', Metrics),
    read('comparison.json', Comparison),
    read('release/manifest.json', Manifest),
  ]);
  const failures = Object.values(manifest.junk.failures).reduce((sum, count) => sum + count, 0);
  return {
    auc: metrics.validation.auc.toFixed(3),
    'balanced-accuracy': metrics.validation.balanced_accuracy.toFixed(3),
    'classic-auc': comparison.classic.auc.toFixed(3),
    photos: metrics.validation.photos.toLocaleString('en'),
    parameters: metrics.network.parameters.toLocaleString('en'),
    mb: (manifest.files['model.onnx'].bytes / 1e6).toFixed(1),
    'junk-pictures': manifest.junk.pictures.toLocaleString('en'),
    'junk-failures': String(failures),
    'junk-maximum': manifest.junk.maximum.toFixed(2),
  };
}

async function read<Data>(file: string, schema: z.ZodType<Data>): Promise<Data> {
  return schema.parse(JSON.parse(await readFile(join(MODEL, file), 'utf8')));
}
