import type { Config } from '../config.ts';
import {
  EmptyBody,
  type Failure,
  ModelUnavailable,
  ModelUntrusted,
  toFailure,
  UnsupportedMediaType,
} from '../errors.ts';
import { type Codec, findCodec } from '../image/codec.ts';
import { type ImageTensor, PreparedPhoto } from '../image/prepared-photo.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { type Classification, type Classifier, ClassifierReleased } from '../model/classifier.ts';
import type { ModelHost, WaitUntil } from '../model/host.ts';
import { createUploadLimits, readUpload, type UploadSetting, type UploadSource } from './upload.ts';

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
  /** Called with the number of photos before the first is scored; an error ends the request. */
  readonly onReceived?: (photos: number) => Promise<void>;
}

export interface PredictorOptions {
  /** All codecs that hold memory between photos. */
  readonly codecs: readonly Codec[];
  readonly memory: PhotoMemory;
  readonly models: ModelHost;
  readonly config: Pick<Config, UploadSetting | 'MODEL_LOAD_TIMEOUT'>;
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
    const { memory, models, config } = this.#options;
    // Start both at once: in a new isolate the model loads while the photo arrives.
    models.classifier(waitUntil).catch(() => {});
    const limits = createUploadLimits(config, options.maxBytes);
    const { files, lease, release } = await readUpload(source, memory, limits, options.maxPhotos);
    try {
      await options.onReceived?.(files.length);
      const outcomes: Outcome[] = [];
      for (const file of files) {
        lease.renew(2 * config.MODEL_LOAD_TIMEOUT);
        const codec = findCodec(options.codecs, file);
        const result = await this.#scoreFile(file, codec, lease, options, waitUntil).catch(failPhoto);
        outcomes.push({ format: codec?.format, result });
      }
      // A macrotask, so that the answer is sent first.
      waitUntil(scheduler.wait(0).then(() => models.test(waitUntil).catch(() => {})));
      return outcomes;
    } finally {
      release();
    }
  }

  /** @param body the lease of the upload that the file is a part of */
  async #scoreFile(
    bytes: Uint8Array,
    codec: Codec | undefined,
    body: Lease,
    { codecs: accepted, heatmap = false }: ScoreOptions,
    waitUntil: WaitUntil,
  ): Promise<Scored> {
    const { codecs, memory, models, config } = this.#options;
    if (bytes.byteLength === 0) throw new EmptyBody('The photo has no bytes.');
    if (!codec) throw new UnsupportedMediaType(`Accepted formats: ${accepted.map(({ name }) => name).join(', ')}.`);
    for (;;) {
      const classifier = await models.classifier(waitUntil);
      const prepared = new PreparedPhoto({ codecs, codec, bytes }, classifier.manifest.input);
      prepared.makeRoom(memory.capacityBytes - body.bytes);
      const lease = await memory.lease(prepared.peakBytes, {
        duration: config.MODEL_LOAD_TIMEOUT,
        patience: config.MEMORY_WAIT,
      });
      const { data, format, width, height } = await prepared.toTensor().finally(() => lease.release());
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

/** @throws failures that every photo of the upload would share: there is no model */
function failPhoto(error: unknown): Failure {
  if (error instanceof ModelUnavailable || error instanceof ModelUntrusted) throw error;
  return toFailure(error);
}
