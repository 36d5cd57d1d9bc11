import type { SingleFileManifest } from '../src/model/manifest.ts';

/** Pixels a side of the tiny networks' input. */
const SIZE = 8;

/** The manifest of a small binary model with these bytes; tests change what they are about. */
export function testManifest(name: string, file: { bytes: number; sha256: string }): SingleFileManifest {
  return {
    format: 'husky-ai/manifest/1',
    name,
    input: {
      name: 'input',
      width: SIZE,
      height: SIZE,
      layout: 'NHWC',
      color: 'RGB',
      dtype: 'float32',
      range: [0, 1],
      resampling: 'bicubic',
    },
    output: { name: 'scores', activation: 'sigmoid', size: 1 },
    heatmap: null,
    labels: ['husky', 'not husky'],
    threshold: 0.5,
    files: { 'model.onnx': file },
    source: { file: 'some.h5', bytes: 1, sha256: '0'.repeat(64) },
    tools: { keras: '3' },
    metrics: null,
    probes: [{ name: 'black', kind: 'solid', rgb: [0, 0, 0], expected: [0.1] }],
  };
}
