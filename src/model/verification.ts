import type { Config } from '../config.ts';
import { ModelUntrusted } from '../errors.ts';
import { sha256Hex } from './digest.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import type { PublicKey } from './oms/public-keys.ts';
import { verifySignature } from './oms/verify.ts';

/** The files of a version by name, without its signature. */
export type VersionFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** The largest files that the Worker reads. */
export type SizeLimits = Pick<Config, 'MAX_MANIFEST_BYTES' | 'MAX_MODEL_BYTES'>;

/** A model whose files a trusted key has signed under this version. */
export interface VerifiedModel {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** The bytes of model.onnx. */
  readonly onnx: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the public key that signed it, 64 hex digits. */
  readonly signer: string;
}

/**
 * Decides whether a version may be served. The Worker and every command that publishes or moves a channel call this.
 * It checks the sizes, the manifest against the version, the signature over all files, the manifest itself, and the
 * model against the manifest.
 *
 * @param version SHA-256 of manifest.json, 64 hex digits
 * @param signature the content of model.sig
 * @param keys the keys whose signature is trusted
 * @param limits what the service that is to serve it reads; undefined: any size
 * @throws {ModelUntrusted} a check failed; the cause says why
 */
export async function verifyVersion(
  version: string,
  files: VersionFiles,
  signature: Uint8Array,
  keys: readonly PublicKey[],
  limits?: SizeLimits,
): Promise<VerifiedModel> {
  if (limits) checkSizes(files, limits);
  const digests = await computeDigests(files);
  if (digests.get('manifest.json') !== version) {
    throw new ModelUntrusted('The manifest is not the one that the version names.');
  }
  const { fingerprint } = await verifySignature(signature, keys, digests).catch((cause: unknown) => {
    throw new ModelUntrusted('The signature of the model is not valid.', { cause });
  });
  return { version, ...readContents(files, digests), signer: fingerprint };
}

/**
 * The manifest and the model of a version that need not be signed yet.
 *
 * @throws {ModelUntrusted} the manifest is not valid, or the model is not the one that it names
 */
export async function readModel(files: VersionFiles): Promise<Pick<VerifiedModel, 'manifest' | 'onnx'>> {
  return readContents(files, await computeDigests(files));
}

/** The refusal of a file that is larger than the service reads. */
export function tooLarge(file: string, bytes: number, limit: number): ModelUntrusted {
  const cause = `${file} has ${bytes} bytes, ${limit} are allowed`;
  return new ModelUntrusted('A file of the model is too large.', { cause });
}

/** @throws {ModelUntrusted} a file is larger than the Worker reads */
export function checkSizes(files: VersionFiles, { MAX_MANIFEST_BYTES, MAX_MODEL_BYTES }: SizeLimits): void {
  for (const [file, limit] of [
    ['manifest.json', MAX_MANIFEST_BYTES],
    ['model.onnx', MAX_MODEL_BYTES],
  ] as const) {
    const bytes = files.get(file)?.byteLength ?? 0;
    if (bytes > limit) throw tooLarge(file, bytes, limit);
  }
}

async function computeDigests(files: VersionFiles): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all([...files].map(async ([file, bytes]) => [file, await sha256Hex(bytes)] as const)));
}

function readContents(files: VersionFiles, digests: ReadonlyMap<string, string>) {
  const manifest = readManifest(files.get('manifest.json'));
  const onnx = files.get('model.onnx');
  const { bytes, sha256 } = manifest.files['model.onnx'];
  if (onnx?.byteLength !== bytes || digests.get('model.onnx') !== sha256) {
    throw new ModelUntrusted('The model is not the one that its manifest names.');
  }
  return { manifest, onnx };
}

function readManifest(bytes = new Uint8Array()): Manifest {
  try {
    return parseManifest(bytes);
  } catch (cause) {
    throw new ModelUntrusted('The manifest is not valid.', { cause });
  }
}
