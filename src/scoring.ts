import type { Context } from 'hono';
import type { AppEnv } from './app.ts';
import { configOf } from './config.ts';
import type { ImageFormat, ImageTensor } from './image/photo.ts';
import { PreparedPhoto } from './image/tensor.ts';
import { type Classification, type Classifier, ClassifierReleased } from './model/classifier.ts';
import { readPhoto } from './upload/photo.ts';

export interface Scored {
  readonly classification: Classification;
  readonly classifier: Classifier;
  readonly image: Pick<ImageTensor, 'format' | 'width' | 'height'>;
}

/** The classifier of this isolate, loaded if need be. */
export function classifierOf(c: Context<AppEnv>): Promise<Classifier> {
  const { env, executionCtx } = c;
  const waitUntil = (pending: Promise<unknown>) => executionCtx.waitUntil(pending);
  return c.var.isolate.models.classifier({ env, config: configOf(env), waitUntil });
}

/**
 * The way of a photo: request, upload, image, tensor, session, answer. Its bytes are in memory from the first
 * of these steps to the last, and nowhere else.
 *
 * @throws {ApiError} any of the upload's, the image's and the model's
 */
export async function scorePhoto(
  c: Context<AppEnv>,
  maxBytes: number,
  formats: readonly ImageFormat[],
): Promise<Scored> {
  const config = configOf(c.env);
  const { memory } = c.var.isolate;
  // Both at once: in a new isolate the model is fetched while the photo still comes in.
  classifierOf(c).catch(() => {});
  const limits = {
    maxBytes,
    timeout: config.UPLOAD_TIMEOUT,
    idleTimeout: config.UPLOAD_IDLE_TIMEOUT,
    patience: config.MEMORY_WAIT,
  };
  const { photo, lease } = await readPhoto(c.req.raw, memory, limits, formats);
  try {
    lease.renew(config.MODEL_LOAD_TIMEOUT);
    for (;;) {
      const classifier = await classifierOf(c);
      const prepared = new PreparedPhoto(photo, classifier.manifest.input);
      prepared.makeRoom(memory.capacityBytes - lease.bytes);
      const place = await memory.lease(prepared.peakBytes, {
        duration: config.MODEL_LOAD_TIMEOUT,
        patience: config.MEMORY_WAIT,
      });
      const { data, format, width, height } = await prepared.toTensor().finally(() => place.release());
      try {
        const classification = await classifier.classify(data);
        return { classification, classifier, image: { format, width, height } };
      } catch (error) {
        // The next one may want another size, so the photo is looked at anew.
        if (!(error instanceof ClassifierReleased)) throw error;
      }
    }
  } finally {
    lease.release();
  }
}
