import { sha256Hex } from '../../../src/model/digest.ts';
import type { SingleFileManifest, SplitManifest } from '../../../src/model/manifest.ts';
import { testManifest } from '../../manifest.ts';
import tiny from './tiny-models.json';

const decode = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

export const brightness = decode(tiny.brightness);
export const colour = decode(tiny.colour);
/** `brightness` for one channel. */
export const grey = decode(tiny.grey);
/** A probability for each channel, as of `brightness`. */
export const independent = decode(tiny.independent);
export const spots = decode(tiny.spots);
export const colourSpots = decode(tiny.colourSpots);
/** A network in one file that native ONNX Runtime runs, but that traps in wasm. */
export const trap = decode(tiny.trap);

/** Files that ONNX allows and the service must not run. */
export const hostile = {
  'an operator that does not exist': decode(tiny.unknownOperator),
  'external data': decode(tiny.externalData),
};

/** A manifest that fits the `brightness` network. */
export async function manifestOf(onnx: Uint8Array<ArrayBuffer>): Promise<SingleFileManifest> {
  return {
    ...testManifest('tiny', { bytes: onnx.byteLength, sha256: await sha256Hex(onnx) }),
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
export async function colourManifest(): Promise<SingleFileManifest> {
  return {
    ...(await manifestOf(colour)),
    output: { name: 'scores', activation: 'softmax', size: 3 },
    labels: ['red', 'green', 'blue'],
    threshold: null,
    probes: [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [0, 0, 1] }],
  };
}

/** A manifest that fits the `grey` network. */
export async function greyManifest(): Promise<SingleFileManifest> {
  const manifest = await manifestOf(grey);
  return {
    ...manifest,
    input: { ...manifest.input, color: 'L', resize: 'squeeze' },
    probes: [
      { name: 'white', kind: 'solid', rgb: [255, 255, 255], expected: [0.999955] },
      // Left half black, right half 204 / 255.
      { name: 'halves', kind: 'grid', rows: 1, columns: 2, rgb: 'AMw=', expected: [0.119203] },
    ],
  };
}

/** A manifest that fits the `independent` network. */
export async function independentManifest(): Promise<SingleFileManifest> {
  return {
    ...(await manifestOf(independent)),
    output: { name: 'scores', activation: 'sigmoid', size: 3 },
    labels: ['red', 'green', 'blue'],
    threshold: 0.5,
    probes: [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [0.000045, 0.000045, 0.999955] }],
  };
}

/** A manifest that fits the `spots` network: 4 x 2 cells, each red or not. */
export async function spotsManifest(): Promise<SingleFileManifest> {
  return {
    ...(await manifestOf(spots)),
    heatmap: { input: 'heatmaps', output: 'heatmap', rows: 4, columns: 2 },
    probes: [
      { name: 'red', kind: 'solid', rgb: [255, 0, 0], expected: [0.999955], heatmap: Array(8).fill(1) },
      {
        name: 'halves',
        kind: 'grid',
        rows: 1,
        columns: 2,
        rgb: 'AAAA/wAA',
        expected: [0.982014],
        heatmap: [0, 1, 0, 1, 0, 1, 0, 1],
      },
    ],
  };
}

/** A manifest that fits the `colourSpots` network: the same cells, with a map for each of three colours. */
export async function colourSpotsManifest(): Promise<SingleFileManifest> {
  return {
    ...(await spotsManifest()),
    files: (await manifestOf(colourSpots)).files,
    output: { name: 'scores', activation: 'softmax', size: 3 },
    labels: ['red', 'green', 'blue'],
    threshold: null,
    probes: [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [0, 0, 1], heatmap: Array(8).fill(1) }],
  };
}

/** Graphs that read their two tensors from weights.bin. */
const graphs = {
  split: decode(tiny.split),
  /** One tensor lies past the end of the file. */
  pastEnd: decode(tiny.splitPastEnd),
  /** One tensor is longer than its shape. */
  tooLong: decode(tiny.splitTooLong),
  /** One tensor lies in another file. */
  elsewhere: decode(tiny.splitElsewhere),
};

/** A network with its weights beside it, which scores as `brightness` does. */
export const splitFiles = (graph: keyof typeof graphs = 'split') => ({
  'graph.onnx': graphs[graph],
  'weights.bin': decode(tiny.splitWeights),
});

/** A manifest that fits these files. */
export async function splitManifest(files = splitFiles()): Promise<SplitManifest> {
  const { files: _, ...common } = await manifestOf(brightness);
  const describe = async (bytes: Uint8Array<ArrayBuffer>) => ({
    bytes: bytes.byteLength,
    sha256: await sha256Hex(bytes),
  });
  return {
    ...common,
    format: 'husky-ai/manifest/2',
    name: 'split',
    files: {
      'graph.onnx': await describe(files['graph.onnx']),
      'weights.bin': await describe(files['weights.bin']),
    },
    weights: [
      { name: 'kernel', dtype: 'float16', shape: [192, 1], offset: 0 },
      { name: 'bias', dtype: 'float32', shape: [1], offset: 384 },
    ],
    runtime: { name: 'onnxruntime-web', version: '1.30.0', memory: 17_000_000 },
  };
}
