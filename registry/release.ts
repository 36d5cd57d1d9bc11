import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../src/model/manifest.ts';
import {
  digestFile,
  networkFiles,
  readManifest,
  type VersionFile,
  type VersionFiles,
} from '../src/model/verification.ts';

/** A version whose manifest and files fit each other. */
export interface Release {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** In the order in which they are published. */
  readonly files: VersionFiles;
}

/** The committed version, which `model:publish`, `start` and `deploy` take by default. */
export const RELEASE_FOLDER = 'model/release';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Reads the version in a folder. Its signature is not checked.
 *
 * @throws {ModelUntrusted} the manifest is not valid, or the files are not those that it names
 */
export async function readRelease(folder: string): Promise<Release> {
  return toRelease(await readVersionFiles((name) => readFile(join(folder, name))));
}

/**
 * The version that consists of these files. Its signature is not checked.
 *
 * @throws {ModelUntrusted} the manifest is not valid, or the files are not those that it names
 */
export function toRelease(files: VersionFiles): Release {
  const manifest = readManifest(files);
  return { version: files.get('manifest.json')?.sha256 ?? '', manifest, files };
}

/**
 * Reads the manifest of a version, and the files that it names.
 *
 * @throws {ModelUntrusted} the manifest is not valid
 */
export async function readVersionFiles(
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<VersionFiles> {
  const manifest = await digestFile(await read('manifest.json'));
  const files = new Map<string, VersionFile>();
  for (const name of networkFiles(manifest)) files.set(name, await digestFile(await read(name)));
  return files.set('manifest.json', manifest);
}
