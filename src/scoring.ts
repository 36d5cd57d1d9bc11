import type { Context } from 'hono';
import type { AppEnv } from './app.ts';
import { configOf } from './config.ts';
import { ApiError, Internal, ModelUnavailable, ModelUntrusted } from './errors.ts';
import type { ImageFormat, ImageTensor } from './image/photo.ts';
import { PreparedPhoto } from './image/tensor.ts';
import type { Lease } from './memory.ts';
import { type Classification, type Classifier, ClassifierReleased } from './model/classifier.ts';
import { shortVersion } from './model/layout.ts';
import { photoIn, readUpload } from './upload/photo.ts';

export interface Scored {
  readonly classification: Classification;
  readonly classifier: Classifier;
  readonly image: Pick<ImageTensor, 'format' | 'width' | 'height'>;
}

/** The classifier of this isolate, loaded if need be. */
export function classifierOf(c: Context<AppEnv>): Promise<Classifier> {
  return c.var.isolate.models.classifier((pending) => c.executionCtx.waitUntil(pending));
}

export interface Wanted {
  /** The largest request body. */
  readonly maxBytes: number;
  /** The most photos in it; `first`: the first, whatever follows. */
  readonly maxPhotos: number | 'first';
  readonly formats: readonly ImageFormat[];
  readonly heatmap?: boolean;
  /** Told how many photos there are before the first is looked at; what it throws ends the request. */
  readonly onReceived?: (photos: number) => Promise<void>;
}

/**
 * The way of the photos of a request: upload, image, tensor, session, answer; one after the other, so that several
 * need no more memory than one of them and the request's body. Their bytes are in memory from the first of these
 * steps to the last, and nowhere else.
 *
 * @returns what became of each, in order; at least one
 * @throws {ApiError} the upload's failures, and the model's where it cannot be had at all
 */
export async function scorePhotos(
  c: Context<AppEnv>,
  wanted: Wanted,
): Promise<readonly (Scored | ApiError)[]> {
  const config = configOf(c.env);
  const { memory } = c.var.isolate;
  // Both at once: in a new isolate the model is fetched while the photo still comes in.
  classifierOf(c).catch(() => {});
  const limits = {
    maxBytes: wanted.maxBytes,
    timeout: config.UPLOAD_TIMEOUT,
    idleTimeout: config.UPLOAD_IDLE_TIMEOUT,
    patience: config.MEMORY_WAIT,
  };
  const { files, lease, release } = await readUpload(c.req.raw, memory, limits, wanted.maxPhotos);
  try {
    await wanted.onReceived?.(files.length);
    c.var.details.photos = files.length;
    const outcomes: (Scored | ApiError)[] = [];
    for (const file of files) {
      lease.renew(2 * config.MODEL_LOAD_TIMEOUT);
      outcomes.push(await scoreFile(c, file, lease, wanted).catch(asFailure));
    }
    return outcomes;
  } finally {
    release();
  }
}

/**
 * The score of the first photo of a request.
 *
 * @throws {ApiError} any of the upload's, the image's and the model's
 */
export async function scorePhoto(c: Context<AppEnv>, wanted: Omit<Wanted, 'maxPhotos'>): Promise<Scored> {
  const [outcome] = await scorePhotos(c, { ...wanted, maxPhotos: 'first' });
  if (!outcome || outcome instanceof ApiError) throw outcome ?? new Error('an upload of no photos');
  return outcome;
}

/** @param body the place in memory that the file, and others beside it, take */
async function scoreFile(
  c: Context<AppEnv>,
  file: Uint8Array,
  body: Lease,
  { formats, heatmap = false }: Wanted,
): Promise<Scored> {
  const { MODEL_LOAD_TIMEOUT, MEMORY_WAIT } = configOf(c.env);
  const { isolate, details } = c.var;
  const { memory } = isolate;
  const photo = photoIn(file, formats);
  details.formats.add(photo.format);
  for (;;) {
    const classifier = await classifierOf(c);
    details.version = shortVersion(classifier.version);
    const prepared = new PreparedPhoto(photo, classifier.manifest.input);
    prepared.makeRoom(memory.capacityBytes - body.bytes);
    const place = await memory.lease(prepared.peakBytes, {
      duration: MODEL_LOAD_TIMEOUT,
      patience: MEMORY_WAIT,
    });
    const { data, format, width, height } = await prepared.toTensor().finally(() => place.release());
    details.pixels = Math.max(details.pixels, width * height);
    try {
      const classification = await classifier.classify(data, { heatmap });
      return { classification, classifier, image: { format, width, height } };
    } catch (error) {
      // The next one may want another size, so the photo is looked at anew.
      if (!(error instanceof ClassifierReleased)) throw error;
    }
  }
}

/** @throws what would be the same for each photo of the request: there is no model */
function asFailure(error: unknown): ApiError {
  if (error instanceof ModelUnavailable || error instanceof ModelUntrusted) throw error;
  return error instanceof ApiError ? error : new Internal('It is logged.', { cause: error });
}
