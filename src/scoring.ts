import type { Context } from 'hono';
import type { AppEnv } from './app.ts';
import { configOf } from './config.ts';
import type { ImageFormat, ImageTensor } from './image/photo.ts';
import { photoToTensor } from './image/tensor.ts';
import type { Classification, Classifier } from './model/classifier.ts';
import { readPhoto } from './upload/photo.ts';

export interface Scored {
  readonly classification: Classification;
  readonly classifier: Classifier;
  readonly image: Pick<ImageTensor, 'format' | 'width' | 'height'>;
}

/** The classifier of this isolate, loaded if need be. */
export function classifierOf(c: Context<AppEnv>): Promise<Classifier> {
  const waitUntil = (pending: Promise<unknown>) => c.executionCtx.waitUntil(pending);
  return c.var.isolate.models.classifier(c.env, configOf(c.env), waitUntil);
}

/**
 * The way of a photo: request, upload, image, tensor, session, answer. Its bytes are in memory from the first
 * of these steps to the tensor, and nowhere else.
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
  const loading = classifierOf(c);
  loading.catch(() => {});
  const limits = {
    maxBytes,
    timeout: config.UPLOAD_TIMEOUT,
    idleTimeout: config.UPLOAD_IDLE_TIMEOUT,
    patience: config.MEMORY_WAIT,
  };
  const { photo, lease } = await readPhoto(c.req.raw, memory, limits, formats);
  try {
    lease.renew(config.MODEL_LOAD_TIMEOUT);
    const classifier = await loading;
    const available = memory.capacityBytes - memory.usedBytes;
    const { data, format, width, height } = await photoToTensor(photo, classifier.manifest.input, available);
    return { classification: await classifier.classify(data), classifier, image: { format, width, height } };
  } finally {
    lease.release();
  }
}
