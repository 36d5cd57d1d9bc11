import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../convert/release.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { testManifest } from '../manifest.ts';
import tiny from '../src/model/tiny-models.json' with { type: 'json' };

/** A network of a few weights whose verdict a drawn picture decides. */
export type TinyModel = 'brightness' | 'colour';

/**
 * A folder with a version of a tiny model, to publish: `brightness` takes bright pictures for huskies, `colour` is
 * a classifier of three labels.
 */
export async function tinyRelease(model: TinyModel): Promise<string> {
  const onnx = Buffer.from(tiny[model], 'base64');
  const { output, labels, threshold, white } = OUTPUTS[model];
  const manifest: Manifest = {
    ...testManifest(`tiny-${model}`, { bytes: onnx.byteLength, sha256: sha256(onnx) }),
    output,
    labels,
    threshold,
    probes: [{ name: 'white', kind: 'solid', rgb: [255, 255, 255], expected: white }],
  };
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-tiny-'));
  await writeFile(join(folder, 'model.onnx'), onnx);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

const OUTPUTS = {
  brightness: {
    output: { name: 'scores', activation: 'sigmoid', size: 1 },
    labels: ['husky', 'not husky'],
    threshold: 0.5,
    white: [0.999955],
  },
  colour: {
    output: { name: 'scores', activation: 'softmax', size: 3 },
    labels: ['red_panda', 'green tree frog', 'blue whale'],
    threshold: null,
    white: [1 / 3, 1 / 3, 1 / 3],
  },
} satisfies Record<TinyModel, Pick<Manifest, 'output' | 'labels' | 'threshold'> & { white: number[] }>;
