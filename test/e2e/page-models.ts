import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../registry/release.ts';
import type { Manifest, Probe } from '../../src/model/manifest.ts';
import { testManifest } from '../manifest.ts';
import tiny from '../src/model/tiny-models.json' with { type: 'json' };

/** A network of a few weights that classifies drawn pictures. */
export type TinyModel = 'brightness' | 'colour' | 'spots' | 'independent' | 'many' | 'fitted';

/**
 * Writes a version of a tiny model to a temporary folder, and returns its path. `brightness` takes bright pictures for
 * huskies, `colour` has three labels, and `spots` has a heat map. `independent` has three labels with a probability each,
 * and `many` has 60 labels. `fitted` is `spots` for photos that are cropped at the centre.
 */
export async function tinyRelease(model: TinyModel): Promise<string> {
  const onnx = Buffer.from(tiny[model === 'fitted' ? 'spots' : model], 'base64');
  const { output, labels, threshold, probe, heatmap } = OUTPUTS[model];
  const common = testManifest(`tiny-${model}`, { bytes: onnx.byteLength, sha256: sha256(onnx) });
  const manifest: Manifest = {
    ...common,
    input: { ...common.input, ...(model === 'fitted' && { resize: 'fit' }) },
    output,
    labels,
    threshold,
    heatmap,
    probes: [probe],
  };
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-tiny-'));
  await writeFile(join(folder, 'model.onnx'), onnx);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

type Outputs = Pick<Manifest, 'output' | 'labels' | 'threshold' | 'heatmap'> & { probe: Probe };

/** A label as long as a manifest allows. */
export const LONGEST = `the reddest red of all, ${'incomprehensibilities-'.repeat(9)}`.slice(0, 200);

const WHITE = { name: 'white', kind: 'solid', rgb: [255, 255, 255] } as const satisfies Partial<Probe>;

const SPOTS = {
  output: { name: 'scores', activation: 'sigmoid', size: 1 },
  labels: ['husky', 'not husky'],
  threshold: 0.5,
  heatmap: { input: 'heatmaps', output: 'heatmap', rows: 4, columns: 2 },
  probe: { name: 'red', kind: 'solid', rgb: [255, 0, 0], expected: [0.999955], heatmap: Array(8).fill(1) },
} satisfies Outputs;

const MANY = 60;

const OUTPUTS = {
  brightness: {
    output: { name: 'scores', activation: 'sigmoid', size: 1 },
    labels: ['husky', 'not husky'],
    threshold: 0.5,
    heatmap: null,
    probe: { ...WHITE, expected: [0.999955] },
  },
  colour: {
    output: { name: 'scores', activation: 'softmax', size: 3 },
    labels: ['red_panda', 'green tree frog', 'blue whale'],
    threshold: null,
    heatmap: null,
    probe: { ...WHITE, expected: [1 / 3, 1 / 3, 1 / 3] },
  },
  spots: SPOTS,
  fitted: SPOTS,
  independent: {
    output: { name: 'scores', activation: 'sigmoid', size: 3 },
    labels: ['red', 'green', 'blue sky'],
    threshold: 0.5,
    heatmap: null,
    probe: { ...WHITE, expected: [0.999955, 0.999955, 0.999955] },
  },
  many: {
    output: { name: 'scores', activation: 'softmax', size: MANY },
    labels: Array.from({ length: MANY }, (_, i) => (i === MANY - 1 ? LONGEST : `kind_${i} of red`)),
    threshold: null,
    heatmap: null,
    // Of red = 0, label 0 wins.
    probe: { name: 'black', kind: 'solid', rgb: [0, 0, 0], expected: blackScores() },
  },
} satisfies Record<TinyModel, Outputs>;

/** softmax(-1000 * place²), as tiny_models.py defines it. */
function blackScores(): number[] {
  const values = Array.from({ length: MANY }, (_, i) => Math.exp(-1000 * (i / (MANY - 1)) ** 2));
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
