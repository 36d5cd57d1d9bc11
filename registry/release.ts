import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../src/model/manifest.ts';
import { readModel, type VersionFiles } from '../src/model/verification.ts';

/** A version whose manifest and model fit each other. */
export interface Release {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** In the order in which they are published. */
  readonly files: VersionFiles;
}

/** Where `model:convert` writes a version, and where `model:publish` and `start` look for it by default. */
export const RELEASE_FOLDER = 'model/release';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Reads the version in a folder. Its signature is not checked.
 *
 * @throws {ModelUntrusted} the manifest is not valid, or the model is not the one that it names
 */
export async function readRelease(folder: string): Promise<Release> {
  const manifestBytes = await readFile(join(folder, 'manifest.json'));
  const files = new Map([
    ['model.onnx', await readFile(join(folder, 'model.onnx'))],
    ['manifest.json', manifestBytes],
  ]);
  const { manifest } = await readModel(files);
  return { version: sha256(manifestBytes), manifest, files };
}
