import type { Config, Env } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import { sha256Hex } from './digest.ts';
import { ChannelPointer, channelKey, modelKey } from './layout.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { MAX_BUNDLE_BYTES } from './oms/format.ts';
import { parsePublicKeys } from './oms/public-keys.ts';
import { verifySignature } from './oms/verify.ts';

/** Which version is to be served. */
export interface Pointer {
  readonly version: string;
  /** Changes when the channel is moved. */
  readonly etag: string;
}

/** A model whose files are those that a trusted key has signed under this version. */
export interface VerifiedModel {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** The bytes of model.onnx. */
  readonly onnx: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the public key that has signed it, 64 hex digits. */
  readonly signer: string;
}

const MAX_POINTER_BYTES = 1_000;
const PINNED = 'pinned';

/**
 * The version that the configuration pins, or else the one that the channel points at; undefined when that is
 * still as it was at `knownEtag`.
 *
 * @throws {ModelUnavailable} R2 fails, or nothing is published there
 * @throws {ModelUntrusted} the channel does not name a version
 */
export async function readPointer(
  { MODELS }: Env,
  { MODEL_VERSION, MODEL_CHANNEL }: Config,
  knownEtag?: string,
): Promise<Pointer | undefined> {
  if (MODEL_VERSION !== '') {
    return knownEtag === PINNED ? undefined : { version: MODEL_VERSION, etag: PINNED };
  }
  const key = channelKey(MODEL_CHANNEL);
  return asking(async () => {
    const object = await MODELS.get(key, knownEtag ? { onlyIf: { etagDoesNotMatch: knownEtag } } : {});
    if (!object) throw missing(key);
    if (!('body' in object)) return undefined;
    const bytes = await readAll(object, MAX_POINTER_BYTES);
    const { version } = trust('The channel does not name a version.', () =>
      ChannelPointer.parse(JSON.parse(new TextDecoder().decode(bytes))),
    );
    return { version, etag: object.etag };
  });
}

/**
 * Bytes of a version's model as R2 tells them, nothing verified.
 *
 * @throws {ModelUnavailable} R2 fails, or it is not there
 */
export async function sizeOf({ MODELS }: Env, version: string): Promise<number> {
  const key = modelKey(version, 'model.onnx');
  const object = await asking(() => MODELS.head(key));
  if (!object) throw missing(key);
  return object.size;
}

/**
 * Fetches a version and checks it whole: the manifest against the version's name, the signature against the
 * trusted keys, and every file against what was signed.
 *
 * @throws {ModelUnavailable} R2 fails, or a file is missing
 * @throws {ModelUntrusted} something is there, and it is not what it should be
 */
export async function fetchVersion({ MODELS }: Env, config: Config, version: string): Promise<VerifiedModel> {
  const read = (file: string, maxBytes: number) =>
    asking(async () => {
      const key = modelKey(version, file);
      const object = await MODELS.get(key);
      if (!object) throw missing(key);
      const bytes = await readAll(object, maxBytes);
      return { bytes, digest: await digestOf(bytes, object) };
    });
  const [manifestFile, signature, onnxFile] = await Promise.all([
    read('manifest.json', config.MAX_MANIFEST_BYTES),
    read('model.sig', MAX_BUNDLE_BYTES),
    read('model.onnx', config.MAX_MODEL_BYTES),
  ]);
  const { bytes: manifestBytes, digest: manifestDigest } = manifestFile;
  const { bytes: onnx, digest: onnxDigest } = onnxFile;
  if (manifestDigest !== version) {
    throw new ModelUntrusted('The manifest is not the one that the version names.');
  }
  const files = new Map([
    ['manifest.json', manifestDigest],
    ['model.onnx', onnxDigest],
  ]);
  const signer = await signerOf(signature.bytes, files, config);
  const manifest = trust('The manifest is not valid.', () => parseManifest(manifestBytes));
  const file = manifest.files['model.onnx'];
  if (onnx.byteLength !== file.bytes || onnxDigest !== file.sha256) {
    throw new ModelUntrusted('The model is not the one that its manifest names.');
  }
  return { version, manifest, onnx, signer };
}

async function signerOf(
  signature: Uint8Array,
  files: ReadonlyMap<string, string>,
  { MODEL_PUBLIC_KEYS }: Config,
): Promise<string> {
  try {
    const keys = await parsePublicKeys(MODEL_PUBLIC_KEYS);
    return (await verifySignature(signature, keys, files)).fingerprint;
  } catch (cause) {
    throw new ModelUntrusted('The signature of the model does not hold.', { cause });
  }
}

async function readAll(object: R2ObjectBody, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (object.size > maxBytes) {
    await object.body.cancel();
    throw new ModelUntrusted('A file of the model is too large.', {
      cause: `${object.key} has ${object.size} bytes, ${maxBytes} are allowed`,
    });
  }
  const bytes = new Uint8Array(await object.arrayBuffer());
  if (bytes.byteLength !== object.size) throw damaged(`${bytes.byteLength} bytes of ${object.key} have come`);
  return bytes;
}

/**
 * The SHA-256 of a file's bytes, hex.
 *
 * @throws {ModelUnavailable} R2 knows them by another one: they have changed on their way and may come better next time
 */
async function digestOf(bytes: Uint8Array<ArrayBuffer>, { key, checksums }: R2ObjectBody): Promise<string> {
  const digest = await sha256Hex(bytes);
  const stored = checksums.toJSON().sha256;
  if (stored !== undefined && stored !== digest) throw damaged(`${key} has arrived with other bytes`);
  return digest;
}

const damaged = (cause: string) => new ModelUnavailable('The model storage gave a damaged file.', { cause });

const missing = (key: string) =>
  new ModelUnavailable('No model is published.', { cause: `${key} does not exist` });

/** How often a read is tried, and how long is waited in between, in milliseconds: R2 asks for it when it fails inside. */
const ATTEMPTS = 3;
const ATTEMPT_PAUSE = 100;

/** Whatever R2 throws again and again, the model is not available. */
async function asking<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (cause) {
      if (cause instanceof ModelUnavailable || cause instanceof ModelUntrusted) throw cause;
      if (attempt === ATTEMPTS) throw new ModelUnavailable('The model storage does not answer.', { cause });
    }
    await scheduler.wait(ATTEMPT_PAUSE * attempt);
  }
}

function trust<T>(detail: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ModelUntrusted(detail, { cause });
  }
}
