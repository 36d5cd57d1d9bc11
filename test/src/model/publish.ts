import type { Manifest } from '../../../src/model/manifest.ts';
import tiny from './tiny-models.json';

export const TINY_SIZE = tiny.size;

const decode = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

export const brightness = decode(tiny.brightness);
export const colour = decode(tiny.colour);
/** Files that ONNX allows and nobody should run. */
export const hostile = {
  'an operator that does not exist': decode(tiny.unknownOperator),
  'external data': decode(tiny.externalData),
};

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A manifest that fits the `brightness` network. */
export async function manifestOf(onnx: Uint8Array<ArrayBuffer>): Promise<Manifest> {
  return {
    format: 'husky-ai/manifest/1',
    name: 'tiny',
    input: {
      name: 'input',
      width: TINY_SIZE,
      height: TINY_SIZE,
      layout: 'NHWC',
      color: 'RGB',
      dtype: 'float32',
      range: [0, 1],
      resampling: 'bicubic',
    },
    output: { name: 'scores', activation: 'sigmoid', size: 1 },
    labels: ['husky', 'not husky'],
    threshold: 0.5,
    files: { 'model.onnx': { bytes: onnx.byteLength, sha256: await sha256(onnx) } },
    source: { file: 'tiny.h5', bytes: 1, sha256: '0'.repeat(64) },
    tools: { keras: '3' },
    parity: { inputs: 64, tolerance: 1e-5 },
    metrics: null,
    // sigmoid(20 * (mean - 0.5))
    probes: [
      { name: 'white', kind: 'solid', rgb: [255, 255, 255], expected: [0.999955] },
      { name: 'black', kind: 'solid', rgb: [0, 0, 0], expected: [0.000045] },
      // Left half black, right half of 204 / 255: the mean is 0.4.
      { name: 'halves', kind: 'grid', rows: 1, columns: 2, rgb: 'AAAAzMzM', expected: [0.119203] },
    ],
  };
}

/** A manifest that fits the `colour` network. */
export async function colourManifest(): Promise<Manifest> {
  return {
    ...(await manifestOf(colour)),
    output: { name: 'scores', activation: 'softmax', size: 3 },
    labels: ['red', 'green', 'blue'],
    threshold: null,
    probes: [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [0, 0, 1] }],
  };
}
