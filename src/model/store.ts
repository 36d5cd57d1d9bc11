import type { Config } from '../config.ts';
import { ModelUnavailable, ModelUntrusted } from '../errors.ts';
import { type Candidate, ChannelPointer, channelKey, modelKey } from './layout.ts';
import type { Manifest, WeightTensor } from './manifest.ts';
import { toHex } from './oms/bytes.ts';
import { MAX_BUNDLE_BYTES } from './oms/format.ts';
import { parsePublicKeys } from './oms/public-keys.ts';
import {
  checkSizes,
  readNamedManifest,
  type SizeLimits,
  tooLarge,
  type VerifiedModel,
  type VersionFile,
  verifyFiles,
} from './verification.ts';
import { allocateWeights, createWidener } from './weights.ts';

/** The version to serve, and the one that some isolates try. */
export interface Pointer {
  readonly version: string;
  readonly candidate?: Candidate | undefined;
  /** Changes when the channel moves. */
  readonly etag: string;
}

type StoreConfig = SizeLimits & Pick<Config, 'MODEL_CHANNEL' | 'MODEL_VERSION' | 'MODEL_PUBLIC_KEYS'>;

/** A file as it arrived from R2. */
interface Received extends VersionFile {
  readonly object: R2ObjectBody;
}

/** Called with a version's manifest before its network is read into memory. */
export type Reserve = (manifest: Manifest) => void | Promise<void>;

/** What R2 returns for a key. */
type Answer = Promise<R2ObjectBody | null>;

const MAX_POINTER_BYTES = 1_000;
const PINNED = 'pinned';

/** Requested together with the manifest that names them, which saves a round trip. */
const EXPECTED_FILES = ['graph.onnx', 'weights.bin'];

/** How much of a file arrives before it is hashed. */
const CHUNK_BYTES = 256 * 1024;

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
      return { ...parsePointer((await receive(object, MAX_POINTER_BYTES)).bytes), etag: object.etag };
    });
  }

  /**
   * Fetches a version and verifies it. Its files are hashed while they arrive.
   *
   * @param reserve is awaited before the network is read into memory
   * @throws {ModelUnavailable} R2 fails, a file is missing, or one was damaged in transit
   * @throws {ModelUntrusted} `verifyVersion` would refuse it
   */
  async fetchVersion(version: string, reserve: Reserve): Promise<VerifiedModel> {
    const get = (name: string) => [name, observed(this.#bucket.get(modelKey(version, name)))] as const;
    const expected = new Map(EXPECTED_FILES.map(get));
    const read = (name: string, maxBytes: number, weights?: readonly WeightTensor[]) =>
      this.#read(modelKey(version, name), maxBytes, expected.get(name), weights);
    const received = new Map<string, Received>();
    const signature = observed(read('model.sig', MAX_BUNDLE_BYTES));
    try {
      received.set('manifest.json', await read('manifest.json', this.#config.MAX_MANIFEST_BYTES));
      const manifest = readNamedManifest(version, received);
      checkSizes(received, manifest, this.#config);
      await reserve(manifest);
      await Promise.all(
        Object.entries(manifest.files).map(async ([name, { bytes }]) => {
          const isWeights = manifest.format === 'husky-ai/manifest/2' && name === 'weights.bin';
          received.set(name, await read(name, bytes, isWeights ? manifest.weights : undefined));
        }),
      );
      const keys = await parsePublicKeys(this.#config.MODEL_PUBLIC_KEYS);
      return await verifyFiles({ version, manifest, files: received }, (await signature).bytes, keys);
    } catch (cause) {
      const arrived = await signature.catch(() => undefined);
      if (arrived) checkArrival(arrived);
      for (const file of received.values()) checkArrival(file);
      if (cause instanceof ModelUntrusted || cause instanceof ModelUnavailable) throw cause;
      throw new ModelUntrusted('The trusted keys are not valid.', { cause });
    } finally {
      for (const answer of expected.values()) observed(answer.then(discard));
    }
  }

  /**
   * @param first the answer to a request that was sent already
   * @param weights the tensors in the file
   */
  #read(key: string, maxBytes: number, first?: Answer, weights?: readonly WeightTensor[]): Promise<Received> {
    let answer = first;
    return retry(async () => {
      const sent = answer;
      answer = undefined;
      const object = await (sent ?? this.#bucket.get(key));
      if (!object) throw missing(key);
      return receive(object, maxBytes, weights);
    });
  }
}

function parsePointer(bytes: Uint8Array): ChannelPointer {
  try {
    return ChannelPointer.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new ModelUntrusted('The channel does not name a version.', { cause });
  }
}

/** @param weights the tensors in the file, to be widened while they arrive */
async function receive(object: R2ObjectBody, maxBytes: number, weights?: readonly WeightTensor[]): Promise<Received> {
  const { key, size, body } = object;
  if (size > maxBytes) {
    await body.cancel();
    throw tooLarge(key, size, maxBytes);
  }
  const widen = weights && createWidener(weights);
  let bytes = weights ? allocateWeights(weights, size) : new Uint8Array(size);
  const { byteOffset } = bytes;
  const digest = new crypto.DigestStream('SHA-256');
  const hash = digest.getWriter();
  const reader = body.getReader({ mode: 'byob' });
  let length = 0;
  while (length < size) {
    // A read detaches the buffer and returns it as another object.
    const rest = bytes.subarray(length, size);
    const { done, value } = await reader.readAtLeast(Math.min(CHUNK_BYTES, rest.byteLength), rest);
    if (value) bytes = new Uint8Array(value.buffer, byteOffset, size);
    if (done || !value) break;
    await hash.write(value);
    length += value.byteLength;
    widen?.(bytes.buffer, length);
  }
  await Promise.all([hash.close(), reader.cancel()]);
  if (length < size) throw damaged(`only ${length} bytes of ${key} arrived`);
  const kept = widen ? new Uint8Array(bytes.buffer) : bytes;
  return { object, bytes: kept, size, sha256: toHex(new Uint8Array(await digest.digest)) };
}

/** The promise, whose rejection need not be awaited at once, or at all. */
function observed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

async function discard(object: R2ObjectBody | null): Promise<void> {
  if (object && !object.bodyUsed) await object.body.cancel();
}

/** @throws {ModelUnavailable} R2's checksum differs: the bytes were damaged in transit, so another read may succeed */
function checkArrival({ object: { key, checksums }, sha256 }: Received): void {
  const stored = checksums.toJSON().sha256;
  if (stored !== undefined && stored !== sha256) throw damaged(`${key} arrived changed`);
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
