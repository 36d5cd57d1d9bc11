import { expect, test } from 'vitest';
import { schemas } from '../../src/api/schemas.ts';
import { manifestOf } from './model/publish.ts';
import { putVersion } from './model/put-version.ts';
import fidelity from './pictures/fidelity.json' with { type: 'json' };
import { bucket, newService, raw } from './service.ts';

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const photo = fromBase64(fidelity.photo);
const networks: Readonly<Record<string, string>> = fidelity.networks;

/** Networks that react to fine detail, and scores for what Pillow makes of the photo: see draw_fidelity.py. */
test.each(fidelity.cases)(
  'a photo scores as with Pillow: $width x $height, $color, $resize, $resampling',
  async ({ width, height, color, resize, resampling, scores, white }) => {
    const onnx = fromBase64(networks[color] ?? '');
    const manifest = await manifestOf(onnx);
    const channel = `fidelity-${width}`;
    const input = { ...manifest.input, width, height, color, resize, resampling };
    const output = { name: 'scores', activation: 'softmax', size: scores.length };
    const labels = scores.map((_, i) => `label ${i}`);
    const probes = [{ name: 'white', kind: 'solid', rgb: [255, 255, 255], expected: white }];
    await putVersion(bucket, { ...manifest, input, output, labels, threshold: null, probes }, onnx, { channel });
    const response = await newService({ MODEL_CHANNEL: channel })('/api/predict', raw(photo, 'image/jpeg'));
    const answer = schemas.Prediction.parse(await response.json());
    const found = labels.map((label) => answer.scores?.find((each) => each.label === label)?.score ?? Number.NaN);
    for (const [i, score] of scores.entries()) expect(Math.abs((found[i] ?? Number.NaN) - score)).toBeLessThan(0.005);
  },
);
