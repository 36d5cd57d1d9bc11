import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RELEASE_FOLDER, readRelease, sha256 } from '../registry/release.ts';
import { storedBytes } from '../src/model/manifest.ts';
import { widenWeights } from '../src/model/weights.ts';

/** Writes the committed version to a new folder, with weights.bin as float32, and returns the folder. */
export async function writeAsFloat32(): Promise<string> {
  const { manifest, files } = await readRelease(RELEASE_FOLDER);
  if (manifest.format === 'husky-ai/manifest/1') throw new Error('the committed version has no weights.bin');
  const read = (name: string) => files.get(name)?.bytes ?? new Uint8Array();
  const bytes = widenWeights(manifest.weights, read('weights.bin'));
  let offset = 0;
  const weights = manifest.weights.map((tensor) => {
    const moved = { ...tensor, dtype: 'float32' as const, offset };
    offset += storedBytes(moved);
    return moved;
  });
  const described = { bytes: bytes.byteLength, sha256: sha256(bytes) };
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-float32-'));
  await writeFile(join(folder, 'graph.onnx'), read('graph.onnx'));
  await writeFile(join(folder, 'weights.bin'), bytes);
  const changed = { ...manifest, weights, files: { ...manifest.files, 'weights.bin': described } };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(changed));
  return folder;
}
