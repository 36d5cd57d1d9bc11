import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../registry/release.ts';
import type { Manifest, Probe } from '../../src/model/manifest.ts';
import { testManifest } from '../manifest.ts';
import tiny from '../src/model/tiny-models.json' with { type: 'json' };

/** A network of a few weights that classifies drawn pictures. */
export type TinyModel = 'brightness' | 'colour' | 'spots';

/**
 * Writes a version of a tiny model to a temporary folder, and returns its path. `brightness` takes bright pictures for
 * huskies, `colour` has three labels, and `spots` has a heat map.
 */
export async function tinyRelease(model: TinyModel): Promise<string> {
  const onnx = Buffer.from(tiny[model], 'base64');
  const { output, labels, threshold, probe, heatmap } = OUTPUTS[model];
  const manifest: Manifest = {
    ...testManifest(`tiny-${model}`, { bytes: onnx.byteLength, sha256: sha256(onnx) }),
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

const WHITE = { name: 'white', kind: 'solid', rgb: [255, 255, 255] } as const satisfies Partial<Probe>;

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
  spots: {
    output: { name: 'scores', activation: 'sigmoid', size: 1 },
    labels: ['husky', 'not husky'],
    threshold: 0.5,
    heatmap: { input: 'heatmaps', output: 'heatmap', rows: 4, columns: 2 },
    probe: { name: 'red', kind: 'solid', rgb: [255, 0, 0], expected: [0.999955], heatmap: Array(8).fill(1) },
  },
} satisfies Record<TinyModel, Pick<Manifest, 'output' | 'labels' | 'threshold' | 'heatmap'> & { probe: Probe }>;
