import type { Config } from '../config.ts';
import {
  EmptyBody,
  Failure,
  ImageTooLarge,
  ModelUnavailable,
  ModelUntrusted,
  toFailure,
  UnsupportedMediaType,
} from '../errors.ts';
import { type Codec, findCodec } from '../image/codec.ts';
import { nameForeign } from '../image/foreign.ts';
import type { DecodingLimits } from '../image/limits.ts';
import { type ImageTensor, PreparedPhoto } from '../image/prepared-photo.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { type Classification, type Classifier, ClassifierReleased } from '../model/classifier.ts';
import type { ModelHost, WaitUntil } from '../model/host.ts';
import type { Turn, Turns } from './turns.ts';
import { createUploadLimits, type ReadUpload, readUpload, type UploadSetting, type UploadSource } from './upload.ts';

/** A photo that has been scored. */
export interface Scored {
  readonly classification: Classification;
  readonly classifier: Classifier;
  readonly image: Pick<ImageTensor, 'format' | 'width' | 'height'>;
}

/** What became of one photo of an upload. */
export interface Outcome {
  /** The photo's format; undefined where it is not accepted. */
  readonly format: string | undefined;
  readonly result: Scored | Failure;
}

export interface ScoreOptions {
  /** The largest upload. */
  readonly maxBytes: number;
  /** The most photos in it; `first` takes the first and ignores the rest. */
  readonly maxPhotos: number | 'first';
  /** The accepted formats. */
  readonly codecs: readonly Codec[];
  readonly heatmap?: boolean;
  /** Reads the upload; default: the raw body or a form. */
  readonly read?: ReadUpload;
  /** Called with the number of photos before any is inspected; an error ends the request. */
  readonly onReceived?: (photos: number) => Promise<void>;
  /** Called before the first is decoded, with the estimated milliseconds of each that will be; an error ends the request. */
  readonly onEstimated?: (milliseconds: readonly number[]) => Promise<void>;
}

export interface PredictorOptions {
  /** All codecs that hold memory between photos. */
  readonly codecs: readonly Codec[];
  readonly memory: PhotoMemory;
  readonly models: ModelHost;
  readonly turns: Turns;
  readonly config: Pick<Config, UploadSetting | 'MODEL_LOAD_TIMEOUT' | 'MAX_DECODE_MS' | 'MAX_REQUEST_DECODE_MS'>;
}

/** A photo that will be decoded. */
interface Admitted {
  readonly bytes: Uint8Array;
  readonly codec: Codec;
  /** The estimate of its decoding. */
  readonly milliseconds: number;
  /** What the estimate is for: another version may have another input size. */
  readonly classifier: Classifier;
  readonly prepared: PreparedPhoto;
}

/** Scores photos: from an upload over image, tensor and session to the classification. */
export class Predictor {
  readonly #options: PredictorOptions;

  constructor(options: PredictorOptions) {
    this.#options = options;
  }

  /**
   * Scores the photos of an upload one after the other, so that several need no more memory than the upload and one of
   * them. Their bytes are in memory from the first step to the last, and nowhere else.
   *
   * @returns an outcome for each photo, in order; at least one
   * @throws {Failure} the upload cannot be read, or there is no model
   */
  async score(source: UploadSource, options: ScoreOptions, waitUntil: WaitUntil): Promise<readonly Outcome[]> {
    const { memory, models, turns, config } = this.#options;
    // Start both at once: in a new isolate the model loads while the photo arrives.
    models.classifier(waitUntil).catch(() => {});
    const limits = createUploadLimits(config, options.maxBytes);
    const { files, lease, release } = await (options.read ?? readUpload)(source, memory, limits, options.maxPhotos);
    try {
      await options.onReceived?.(files.length);
      const formats = files.map((file) => findCodec(options.codecs, file)?.format);
      const turn = turns.join();
      const admitted = await this.#admit(files, lease, options, turn, waitUntil);
      await options.onEstimated?.(admitted.flatMap((photo) => (photo instanceof Failure ? [] : photo.milliseconds)));
      const outcomes: Outcome[] = [];
      for (const [i, photo] of admitted.entries()) {
        lease.renew(2 * config.MODEL_LOAD_TIMEOUT);
        const result =
          photo instanceof Failure
            ? photo
            : await this.#scorePhoto(photo, lease, options, turn, waitUntil).catch(failPhoto);
        outcomes.push({ format: formats[i], result });
      }
      // A macrotask, so that the answer is sent first.
      waitUntil(scheduler.wait(0).then(() => models.test(waitUntil).catch(() => {})));
      return outcomes;
    } finally {
      release();
    }
  }

  /** Inspects all photos before the first is decoded, and refuses those that the request's time does not allow. */
  async #admit(
    files: readonly Uint8Array[],
    body: Lease,
    options: ScoreOptions,
    turn: Turn,
    waitUntil: WaitUntil,
  ): Promise<readonly (Admitted | Failure)[]> {
    const { MAX_REQUEST_DECODE_MS } = this.#options.config;
    const photos: (Admitted | Failure)[] = [];
    let sum = 0;
    for (const bytes of files) {
      // A header of a few kilobytes can take milliseconds: a PNG's compressed texts are a part of it.
      if (photos.length > 0) await turn.yield();
      const photo = await this.#inspect(bytes, body, options, waitUntil).catch(failPhoto);
      sum += photo instanceof Failure ? 0 : photo.milliseconds;
      photos.push(photo instanceof Failure || sum <= MAX_REQUEST_DECODE_MS ? photo : overBudget());
    }
    return photos;
  }

  async #inspect(
    bytes: Uint8Array,
    body: Lease,
    { codecs: accepted }: ScoreOptions,
    waitUntil: WaitUntil,
  ): Promise<Admitted> {
    const { codecs, models } = this.#options;
    if (bytes.byteLength === 0) throw new EmptyBody('The photo has no bytes.');
    const codec = findCodec(accepted, bytes);
    if (!codec) throw notAccepted(bytes, accepted, codecs);
    const classifier = await models.classifier(waitUntil);
    const prepared = new PreparedPhoto({ codecs, codec, bytes }, classifier.manifest.input);
    prepared.check(this.#limits(body));
    return { bytes, codec, milliseconds: prepared.decodeMilliseconds, classifier, prepared };
  }

  /** What decoding one photo of the upload may take at the moment. */
  #limits(body: Lease): DecodingLimits {
    const { memory, config } = this.#options;
    const milliseconds = Math.min(config.MAX_DECODE_MS, config.MAX_REQUEST_DECODE_MS);
    return { bytes: memory.capacityBytes - body.bytes, milliseconds };
  }

  /** @param body the lease of the upload that the photo is a part of */
  async #scorePhoto(
    { bytes, codec, milliseconds, ...inspected }: Admitted,
    body: Lease,
    { heatmap = false }: ScoreOptions,
    turn: Turn,
    waitUntil: WaitUntil,
  ): Promise<Scored> {
    const { codecs, memory, models, config } = this.#options;
    await turn.take(milliseconds);
    for (;;) {
      const classifier = await models.classifier(waitUntil);
      const prepared =
        classifier === inspected.classifier
          ? inspected.prepared
          : new PreparedPhoto({ codecs, codec, bytes }, classifier.manifest.input);
      prepared.makeRoom(this.#limits(body));
      const lease = await memory.lease(prepared.peakBytes, {
        duration: config.MODEL_LOAD_TIMEOUT,
        patience: config.MEMORY_WAIT,
      });
      const pause = () => {
        // Where many photos are decoded in turns, one can take longer than its lease.
        body.renew(2 * config.MODEL_LOAD_TIMEOUT);
        lease.renew(config.MODEL_LOAD_TIMEOUT);
        return turn.yield();
      };
      const { data, format, width, height } = await prepared.toTensor(pause).finally(() => lease.release());
      try {
        const classification = await classifier.classify(data, heatmap);
        return { classification, classifier, image: { format, width, height } };
      } catch (error) {
        // The next version may want another input size, so start over with the photo.
        if (!(error instanceof ClassifierReleased)) throw error;
      }
    }
  }
}

/** @param all all codecs: an endpoint may accept only some */
function notAccepted(bytes: Uint8Array, accepted: readonly Codec[], all: readonly Codec[]): UnsupportedMediaType {
  const name = findCodec(all, bytes)?.name;
  const found = name ? `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}` : nameForeign(bytes);
  const formats = `Accepted formats: ${accepted.map(({ name }) => name).join(', ')}.`;
  return new UnsupportedMediaType(found ? `This is ${found}. ${formats}` : formats);
}

const overBudget = () =>
  new ImageTooLarge('This photo and those before it take too long to decode together. Send it in another request.');

/** @throws failures that every photo of the upload would share: there is no model */
function failPhoto(error: unknown): Failure {
  if (error instanceof ModelUnavailable || error instanceof ModelUntrusted) throw error;
  return toFailure(error);
}
