import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import results from '../../bench/results/models.json' with { type: 'json' };

test('tables and figures in the documents match the benchmark results; if not, run npm run bench -- --fill', async () => {
  const { exitCode, stderr } = await execa(process.execPath, ['bench/run.ts', '--check'], { reject: false });
  expect(exitCode, stderr).toBe(0);
});

test('the benchmarked model is the committed one; if not, run npm run bench -- models', async () => {
  const { files } = JSON.parse(await readFile('model/release/manifest.json', 'utf8'));
  const { strangers } = JSON.parse(await readFile('model/metrics.json', 'utf8'));
  const [served] = results.rows;
  expect({ bytes: served?.bytes, auc: served?.auc, photos: results.photos }).toEqual({
    bytes: files['graph.onnx'].bytes + files['weights.bin'].bytes,
    auc: strangers.both.auc,
    photos: strangers.both.photos,
  });
});
