import type { Config } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import { sha256Hex } from './digest.ts';
import { ChannelPointer, channelKey, modelKey } from './layout.ts';
import { MAX_BUNDLE_BYTES } from './oms/format.ts';
import { parsePublicKeys } from './oms/public-keys.ts';
import { type SizeLimits, tooLarge, type VerifiedModel, verifyVersion } from './verification.ts';

/** The version to serve. */
export interface Pointer {
  readonly version: string;
  /** Changes when the channel moves. */
  readonly etag: string;
}

type StoreConfig = SizeLimits & Pick<Config, 'MODEL_CHANNEL' | 'MODEL_VERSION' | 'MODEL_PUBLIC_KEYS'>;

/** A file as it arrived from R2. */
interface Received {
  readonly object: R2ObjectBody;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MAX_POINTER_BYTES = 1_000;
const PINNED = 'pinned';

/** The models in an R2 bucket. */
export class ModelStore {
  readonly #bucket: R2Bucket;
  readonly #config: StoreConfig;

  constructor(bucket: R2Bucket, config: StoreConfig) {
    this.#bucket = bucket;
    this.#config = config;
  }

  /**
   * Reads which version the configuration pins or else the channel points at; undefined if that has not changed since
   * `knownEtag`.
   *
   * @throws {ModelUnavailable} R2 fails, or nothing is published there
   * @throws {ModelUntrusted} the channel does not name a version
   */
  readPointer(): Promise<Pointer>;
  readPointer(knownEtag: string): Promise<Pointer | undefined>;
  async readPointer(knownEtag?: string): Promise<Pointer | undefined> {
    const { MODEL_VERSION, MODEL_CHANNEL } = this.#config;
    if (MODEL_VERSION !== '') {
      return knownEtag === PINNED ? undefined : { version: MODEL_VERSION, etag: PINNED };
    }
    const key = channelKey(MODEL_CHANNEL);
    return retry(async () => {
      const onlyIf = knownEtag ? { onlyIf: { etagDoesNotMatch: knownEtag } } : {};
      const object = await this.#bucket.get(key, onlyIf);
      if (!object) throw missing(key);
      if (!('body' in object)) return undefined;
      return { version: parsePointer(await readBody(object, MAX_POINTER_BYTES)), etag: object.etag };
    });
  }

  /**
   * The size of a version's model in bytes as R2 reports it, unverified.
   *
   * @throws {ModelUnavailable} R2 fails, or the model is missing
   */
  async sizeOf(version: string): Promise<number> {
    const key = modelKey(version, 'model.onnx');
    const object = await retry(() => this.#bucket.head(key));
    if (!object) throw missing(key);
    return object.size;
  }

  /**
   * Fetches a version and verifies it.
   *
   * @throws {ModelUnavailable} R2 fails, a file is missing, or one was damaged in transit
   * @throws {ModelUntrusted} `verifyVersion` refuses it
   */
  async fetchVersion(version: string): Promise<VerifiedModel> {
    const { MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, MODEL_PUBLIC_KEYS } = this.#config;
    const received = await Promise.all([
      this.#read(modelKey(version, 'manifest.json'), MAX_MANIFEST_BYTES),
      this.#read(modelKey(version, 'model.onnx'), MAX_MODEL_BYTES),
      this.#read(modelKey(version, 'model.sig'), MAX_BUNDLE_BYTES),
    ]);
    const [manifest, onnx, signature] = received;
    const files = new Map([
      ['manifest.json', manifest.bytes],
      ['model.onnx', onnx.bytes],
    ]);
    try {
      const keys = await parsePublicKeys(MODEL_PUBLIC_KEYS);
      return await verifyVersion(version, files, signature.bytes, keys, this.#config);
    } catch (cause) {
      await Promise.all(received.map(checkArrival));
      if (cause instanceof ModelUntrusted) throw cause;
      throw new ModelUntrusted('The trusted keys are not valid.', { cause });
    }
  }

  #read(key: string, maxBytes: number): Promise<Received> {
    return retry(async () => {
      const object = await this.#bucket.get(key);
      if (!object) throw missing(key);
      return { object, bytes: await readBody(object, maxBytes) };
    });
  }
}

function parsePointer(bytes: Uint8Array): string {
  try {
    return ChannelPointer.parse(JSON.parse(new TextDecoder().decode(bytes))).version;
  } catch (cause) {
    throw new ModelUntrusted('The channel does not name a version.', { cause });
  }
}

async function readBody(object: R2ObjectBody, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (object.size > maxBytes) {
    await object.body.cancel();
    throw tooLarge(object.key, object.size, maxBytes);
  }
  const bytes = new Uint8Array(await object.arrayBuffer());
  if (bytes.byteLength !== object.size) {
    throw damaged(`only ${bytes.byteLength} bytes of ${object.key} arrived`);
  }
  return bytes;
}

/** @throws {ModelUnavailable} R2's checksum differs: the bytes were damaged in transit, so another read may succeed */
async function checkArrival({ object: { key, checksums }, bytes }: Received): Promise<void> {
  const stored = checksums.toJSON().sha256;
  if (stored !== undefined && stored !== (await sha256Hex(bytes))) throw damaged(`${key} arrived changed`);
}

const damaged = (cause: string) => new ModelUnavailable('The model storage returned a damaged file.', { cause });

const missing = (key: string) => new ModelUnavailable('No model is published.', { cause: `${key} does not exist` });

/** R2 asks clients to repeat reads after its internal errors. */
const ATTEMPTS = 3;
/** In milliseconds, before the second attempt; it grows with each. */
const PAUSE = 100;

/** @throws {ModelUnavailable} every attempt failed */
async function retry<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (cause) {
      if (cause instanceof ModelUnavailable || cause instanceof ModelUntrusted) throw cause;
      if (attempt === ATTEMPTS) throw new ModelUnavailable('The model storage does not answer.', { cause });
    }
    await scheduler.wait(PAUSE * attempt);
  }
}
