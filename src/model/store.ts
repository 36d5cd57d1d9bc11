import type { Config, Env } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import { sha256Hex } from './digest.ts';
import { ChannelPointer, channelKey, modelKey } from './layout.ts';
import { type Manifest, parseManifest } from './manifest.ts';

/** A model whose bytes are what its manifest says, and whose manifest is what the version says. */
export interface VerifiedModel {
  /** SHA-256 of manifest.json, 64 hex digits. */
  readonly version: string;
  readonly manifest: Manifest;
  /** The bytes of model.onnx. */
  readonly onnx: Uint8Array<ArrayBuffer>;
}

const MAX_POINTER_BYTES = 1_000;

/**
 * Fetches the version that the channel points at and checks it: the manifest against the version's name,
 * the model against the manifest.
 *
 * @throws {ModelUnavailable} R2 fails, or nothing is published there
 * @throws {ModelUntrusted} something is there, and it is not what it should be
 */
export async function fetchModel(env: Env, config: Config): Promise<VerifiedModel> {
  const version = await currentVersion(env.MODELS, config.MODEL_CHANNEL);

  const manifestBytes = await read(env.MODELS, modelKey(version, 'manifest.json'), config.MAX_MANIFEST_BYTES);
  if ((await sha256Hex(manifestBytes)) !== version) {
    throw new ModelUntrusted('The manifest is not the one that the version names.');
  }
  const manifest = trust('The manifest is not valid.', () => parseManifest(manifestBytes));

  const file = manifest.files['model.onnx'];
  const onnx = await read(env.MODELS, modelKey(version, 'model.onnx'), config.MAX_MODEL_BYTES);
  if (onnx.byteLength !== file.bytes || (await sha256Hex(onnx)) !== file.sha256) {
    throw new ModelUntrusted('The model is not the one that its manifest names.');
  }
  return { version, manifest, onnx };
}

async function currentVersion(bucket: R2Bucket, channel: string): Promise<string> {
  const pointer = await read(bucket, channelKey(channel), MAX_POINTER_BYTES);
  const { version } = trust('The channel does not name a version.', () =>
    ChannelPointer.parse(JSON.parse(new TextDecoder().decode(pointer))),
  );
  return version;
}

async function read(bucket: R2Bucket, key: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const object = await bucket.get(key);
    if (!object) throw new ModelUnavailable('No model is published.', { cause: `${key} does not exist` });
    if (object.size > maxBytes) {
      await object.body.cancel();
      throw new ModelUntrusted('The model is too large.', {
        cause: `${key} has ${object.size} bytes, ${maxBytes} are allowed`,
      });
    }
    return new Uint8Array(await object.arrayBuffer());
  } catch (cause) {
    if (cause instanceof ModelUnavailable || cause instanceof ModelUntrusted) throw cause;
    throw new ModelUnavailable('The model storage does not answer.', { cause });
  }
}

function trust<T>(detail: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ModelUntrusted(detail, { cause });
  }
}
