import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, parseManifest } from '../src/model/manifest.ts';

/** The files of a version, checked against one another. */
export interface Release {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** Name and bytes, in the order in which they are published. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Where `model:convert` writes the version that `model:publish` and `start` take by default. */
export const RELEASE_FOLDER = 'model/release';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * The version in this folder.
 *
 * @throws {Error} the manifest is not valid, or the model is not the one that it names
 */
export async function readRelease(folder: string): Promise<Release> {
  const manifestBytes = await readFile(join(folder, 'manifest.json'));
  const manifest = parseManifest(manifestBytes);
  const onnx = await readFile(join(folder, 'model.onnx'));
  const expected = manifest.files['model.onnx'];
  if (onnx.byteLength !== expected.bytes || sha256(onnx) !== expected.sha256) {
    throw new Error(`${join(folder, 'model.onnx')} is not the model that its manifest names`);
  }
  const files = new Map([
    ['model.onnx', onnx],
    ['manifest.json', manifestBytes],
  ]);
  return { version: sha256(manifestBytes), manifest, files };
}
