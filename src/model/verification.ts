import type { Config } from '../config.ts';
import { ModelUntrusted } from '../errors.ts';
import { sha256Hex } from './digest.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import type { PublicKey } from './oms/public-keys.ts';
import { verifySignature } from './oms/verify.ts';
import { widenedBytes } from './weights.ts';

/** A file of a version. */
export interface VersionFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The size and the digest of the file, 64 hex digits. They differ from those of `bytes` if weights were widened. */
  readonly size: number;
  readonly sha256: string;
}

/** The files of a version by name, without its signature. */
export type VersionFiles = ReadonlyMap<string, VersionFile>;

/** The largest files that the Worker reads, and the most memory that a model may take. */
export type SizeLimits = Pick<Config, 'MAX_MANIFEST_BYTES' | 'MAX_MODEL_BYTES' | 'MAX_MODEL_MEMORY_BYTES'>;

/** A model whose files a trusted key has signed under this version. */
export interface VerifiedModel {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** The files that the manifest names. */
  readonly files: VersionFiles;
  /** SHA-256 of the public key that signed it, 64 hex digits. */
  readonly signer: string;
}

/** Returns the file with its digest. */
export async function digestFile(bytes: Uint8Array<ArrayBuffer>): Promise<VersionFile> {
  return { bytes, size: bytes.byteLength, sha256: await sha256Hex(bytes) };
}

/**
 * Decides whether a version may be served. The Worker and every command that publishes or moves a channel call this.
 * It checks the manifest against the version, the signature over all files, the manifest itself, and the files and
 * sizes that it names.
 *
 * @param version SHA-256 of manifest.json, 64 hex digits
 * @param signature the content of model.sig
 * @param keys the keys whose signature is trusted
 * @param limits those of the service that is to serve it; undefined: any size
 * @throws {ModelUntrusted} a check failed; the cause says why
 */
export async function verifyVersion(
  version: string,
  files: VersionFiles,
  signature: Uint8Array,
  keys: readonly PublicKey[],
  limits?: SizeLimits,
): Promise<VerifiedModel> {
  checkVersion(version, files);
  const signer = await findSigner(files, signature, keys);
  const manifest = readManifest(files);
  if (limits) checkSizes(files, manifest, limits);
  return { version, manifest, files, signer };
}

/**
 * The rest of `verifyVersion`, for a version whose manifest came from `readNamedManifest` before its other files arrived.
 *
 * @throws {ModelUntrusted} no trusted key has signed the files, or they are not those that the manifest names
 */
export async function verifyFiles(
  model: Omit<VerifiedModel, 'signer'>,
  signature: Uint8Array,
  keys: readonly PublicKey[],
): Promise<VerifiedModel> {
  const signer = await findSigner(model.files, signature, keys);
  checkFiles(model.manifest, model.files);
  return { ...model, signer };
}

/**
 * Parses the manifest that the version names, before its signature is known.
 *
 * @throws {ModelUntrusted} it is another manifest, or not a valid one
 */
export function readNamedManifest(version: string, files: VersionFiles): Manifest {
  checkVersion(version, files);
  return parse(files.get('manifest.json'));
}

/**
 * The manifest of a version that need not be signed yet.
 *
 * @throws {ModelUntrusted} it is not valid, or a file is not the one that it names
 */
export function readManifest(files: VersionFiles): Manifest {
  const manifest = parse(files.get('manifest.json'));
  checkFiles(manifest, files);
  return manifest;
}

function checkVersion(version: string, files: VersionFiles): void {
  if (files.get('manifest.json')?.sha256 === version) return;
  throw new ModelUntrusted('The manifest is not the one that the version names.');
}

/** The fingerprint of the key that signed the files. */
async function findSigner(files: VersionFiles, signature: Uint8Array, keys: readonly PublicKey[]): Promise<string> {
  const digests = new Map([...files].map(([name, { sha256 }]) => [name, sha256] as const));
  const { fingerprint } = await verifySignature(signature, keys, digests).catch((cause: unknown) => {
    throw new ModelUntrusted('The signature of the model is not valid.', { cause });
  });
  return fingerprint;
}

function checkFiles(manifest: Manifest, files: VersionFiles): void {
  const named = Object.entries(manifest.files);
  for (const [name, { bytes, sha256 }] of named) {
    const file = files.get(name);
    if (file?.size !== bytes || file.sha256 !== sha256) {
      throw new ModelUntrusted('The model is not the one that its manifest names.', { cause: `${name} differs` });
    }
  }
  if (files.size !== named.length + 1)
    throw new ModelUntrusted('The version has files that its manifest does not name.');
}

/**
 * The names of the files that a manifest describes.
 *
 * @throws {ModelUntrusted} it is not valid
 */
export function networkFiles(manifest: VersionFile): readonly string[] {
  return Object.keys(parse(manifest).files);
}

/** The refusal of something that is larger than the service allows. */
export function tooLarge(what: string, bytes: number, limit: number): ModelUntrusted {
  return new ModelUntrusted('The model is too large.', { cause: `${what} takes ${bytes} bytes, ${limit} are allowed` });
}

/** @throws {ModelUntrusted} the manifest, the network or its memory is larger than the service allows */
export function checkSizes(files: VersionFiles, manifest: Manifest, limits: SizeLimits): void {
  for (const [what, bytes, limit] of [
    ['manifest.json', files.get('manifest.json')?.size ?? 0, limits.MAX_MANIFEST_BYTES],
    ['the network', networkBytes(manifest), limits.MAX_MODEL_BYTES],
    ['ONNX Runtime with this network', runtimeMemory(manifest) ?? 0, limits.MAX_MODEL_MEMORY_BYTES],
  ] as const) {
    if (bytes > limit) throw tooLarge(what, bytes, limit);
  }
}

/** The bytes that a session is created from: the graph, and the weights as float32. */
export function networkBytes(manifest: Manifest): number {
  if (manifest.format === 'husky-ai/manifest/1') return manifest.files['model.onnx'].bytes;
  const { files, weights } = manifest;
  return files['graph.onnx'].bytes + widenedBytes(weights);
}

/** The bytes of wasm memory that ONNX Runtime takes with this network; undefined if the manifest does not say. */
export function runtimeMemory(manifest: Manifest): number | undefined {
  return manifest.format === 'husky-ai/manifest/1' ? undefined : manifest.runtime.memory;
}

function parse(file: VersionFile | undefined): Manifest {
  try {
    return parseManifest(file?.bytes ?? new Uint8Array());
  } catch (cause) {
    throw new ModelUntrusted('The manifest is not valid.', { cause });
  }
}
