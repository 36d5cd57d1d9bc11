import { afterEach, describe, expect, test } from 'vitest';
import { ModelUntrusted } from '../../../src/errors.ts';
import { type Classifier, createClassifier } from '../../../src/model/classifier.ts';
import type { Manifest } from '../../../src/model/manifest.ts';
import { parseManifest } from '../../../src/model/manifest.ts';
import { digestFile } from '../../../src/model/verification.ts';
import { runtime } from '../../../src/model/worker-runtime.ts';
import { drawPng, type Rgb, utf8 } from '../../pictures/png.ts';
import { toTensor } from '../pictures/pictures.ts';
import { brightness, colourSpots, colourSpotsManifest, manifestOf, spots, spotsManifest } from './publish.ts';

const ROWS = 4;
const COLUMNS = 2;
const GRID = { input: 'heatmaps', output: 'heatmap', rows: ROWS, columns: COLUMNS };
const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];
const BLACK: Rgb = [0, 0, 0];

const started: Classifier[] = [];

afterEach(async () => {
  for (const classifier of started.splice(0)) await classifier.release();
});

async function start(onnx: Uint8Array<ArrayBuffer>, manifest: Manifest): Promise<Classifier> {
  const files = new Map([['model.onnx', await digestFile(onnx)]]);
  const classifier = await createClassifier({ version: '0'.repeat(64), manifest, files, signer: '' }, runtime);
  started.push(classifier);
  return classifier;
}

const spotter = async () => start(spots, await spotsManifest());

/** Prepares a picture as the network's input, like any photo. */
async function inputOf(file: Uint8Array, { input }: Manifest): Promise<Float32Array> {
  return (await toTensor(file, input)).data;
}

type Corner = 'top left' | 'top right' | 'bottom left' | 'bottom right';

const cellOf = (corner: Corner): number =>
  (corner.startsWith('bottom') ? (ROWS - 1) * COLUMNS : 0) + (corner.endsWith('right') ? COLUMNS - 1 : 0);

describe('a red spot in one corner lights up that corner', () => {
  /** Where the end of the first stored row is in the upright photo, by EXIF (JEITA CP-3451, tag 274). */
  const upright: readonly [number, Corner][] = [
    [1, 'top right'],
    [2, 'top left'],
    [3, 'bottom left'],
    [4, 'bottom right'],
    [5, 'bottom left'],
    [6, 'bottom right'],
    [7, 'top right'],
    [8, 'top left'],
  ];

  test.each(upright)('orientation %i: %s', async (orientation, corner) => {
    const classifier = await spotter();
    const sideways = orientation >= 5;
    const [width, height] = sideways ? [64, 32] : [32, 64];
    // One cell of the upright photo: half its width, a quarter of its height.
    const [across, down] = sideways ? [width / 4, height / 2] : [width / 2, height / 4];
    const picture = (x: number, y: number) => (x >= width - across && y < down ? RED : BLACK);
    const file = await drawPng(width, height, picture, orientation);
    const found = await classifier.classify(await inputOf(file, classifier.manifest), true);
    const { rows, columns, values = [] } = found.heatmap ?? {};
    expect({ rows, columns, count: values.length }).toEqual({ rows: ROWS, columns: COLUMNS, count: 8 });
    expect(values.indexOf(Math.max(...values))).toBe(cellOf(corner));
    expect(values[cellOf(corner)]).toBeGreaterThan(0.99);
    for (const value of values.toSpliced(cellOf(corner), 1)) expect(value).toBeLessThan(0.3);
  });
});

test('the map holds numbers from 0 to 1 with four decimals, and does not change the score', async () => {
  const classifier = await spotter();
  const file = await drawPng(16, 16, (x) => (x < 8 ? BLACK : RED));
  const input = await inputOf(file, classifier.manifest);
  const plain = await classifier.classify(input);
  const { heatmap, ...rest } = await classifier.classify(input, true);
  expect(rest).toEqual(plain);
  expect(plain).not.toHaveProperty('heatmap');
  for (const value of heatmap?.values ?? []) {
    expect(value).toBe(Number(value.toFixed(4)));
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
  }
});

test('with several labels, the map belongs to the most probable one', async () => {
  const classifier = await start(colourSpots, await colourSpotsManifest());
  // One cell is red, the rest blue: the label is blue, and the map is high everywhere else.
  const file = await drawPng(16, 16, (x, y) => (x >= 8 && y < 4 ? RED : BLUE));
  const { label, heatmap } = await classifier.classify(await inputOf(file, classifier.manifest), true);
  expect(label).toBe('blue');
  expect(heatmap?.values.map(Math.round)).toEqual([1, 0, 1, 1, 1, 1, 1, 1]);
});

test('a model without a heat map returns null on request', async () => {
  const classifier = await start(brightness, await manifestOf(brightness));
  const input = new Float32Array(8 * 8 * 3);
  expect((await classifier.classify(input, true)).heatmap).toBeNull();
  expect(await classifier.classify(input)).not.toHaveProperty('heatmap');
});

test('an old manifest without the field has no heat map', async () => {
  const { heatmap, ...older } = await manifestOf(brightness);
  expect(heatmap).toBeNull();
  expect(parseManifest(utf8(JSON.stringify(older))).heatmap).toBeNull();
});

async function refusal(manifest: Manifest): Promise<unknown> {
  return start(spots, manifest)
    .then((classifier) => classifier.selfTest())
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

describe('a model whose heat map differs from its manifest is refused', () => {
  test('no such input', async () => {
    const manifest = await spotsManifest();
    for (const heatmap of [{ ...GRID, input: 'maps' }, null]) {
      const error = await refusal({ ...manifest, heatmap });
      expect(error).toBeInstanceOf(ModelUntrusted);
      expect(error).toHaveProperty('message', expect.stringContaining('other inputs or outputs'));
    }
  });

  test('no such output', async () => {
    const manifest = await spotsManifest();
    const error = await refusal({ ...manifest, heatmap: { ...GRID, output: 'map' } });
    expect(error).toBeInstanceOf(ModelUntrusted);
    expect(error).toHaveProperty('message', expect.stringContaining('other inputs or outputs'));
  });

  test('another grid', async () => {
    const manifest = await spotsManifest();
    const error = await refusal({
      ...manifest,
      heatmap: { ...GRID, rows: COLUMNS, columns: ROWS },
    });
    expect(error).toBeInstanceOf(ModelUntrusted);
    expect(error).toHaveProperty('message', expect.stringContaining('another shape'));
  });

  test('other values', async () => {
    const manifest = await spotsManifest();
    const probes = manifest.probes.map(({ heatmap, ...probe }) => ({
      ...probe,
      ...(heatmap && { heatmap: heatmap.toReversed() }),
    }));
    const error = await refusal({ ...manifest, probes });
    expect(error).toBeInstanceOf(ModelUntrusted);
    expect(error).toHaveProperty('cause', expect.stringMatching(/^failed probes: halves$/));
  });
});
