import type { Context } from 'hono';
import type { AppEnv } from '../env.ts';
import { Failure } from '../errors.ts';
import { addressKey, countFurther, surcharge } from '../http/rate-limit.ts';
import { toUploadSource } from '../http/upload-source.ts';
import type { Classifier } from '../model/classifier.ts';
import { shortVersion } from '../model/layout.ts';
import type { Scored, ScoreOptions } from '../predict/predictor.ts';

/** The isolate's classifier, loaded if necessary. */
export const loadClassifier = (c: Context<AppEnv>): Promise<Classifier> =>
  c.var.service.models.classifier((pending) => c.executionCtx.waitUntil(pending));

/**
 * Scores the photos of the request, and notes what the log may know of them.
 *
 * @throws {RateLimited} too many uploads of the client's address arrive already
 * @throws {Failure} as `Predictor.score`
 */
export async function scoreUpload(c: Context<AppEnv>, options: ScoreOptions): Promise<readonly (Scored | Failure)[]> {
  const { details, service } = c.var;
  const onReceived = async (photos: number) => {
    await options.onReceived?.(photos);
    details.photos = photos;
  };
  const onEstimated = (milliseconds: readonly number[]) => {
    const longest = service.config.MAX_DECODE_MS;
    return countFurther(
      c,
      milliseconds.reduce((sum, each) => sum + surcharge(each, longest), 0),
    );
  };
  const place = service.bodyPlaces?.take(addressKey(c.req.header('CF-Connecting-IP')));
  const score = async () =>
    service.predictor.score(toUploadSource(c.req.raw, place), { ...options, onReceived, onEstimated }, (pending) =>
      c.executionCtx.waitUntil(pending),
    );
  const outcomes = await score().finally(() => place?.release());
  for (const { format, result } of outcomes) {
    if (format) details.formats.add(format);
    if (result instanceof Failure) continue;
    const { classifier, image } = result;
    details.pixels = Math.max(details.pixels, image.width * image.height);
    details.version = shortVersion(classifier.version);
  }
  return outcomes.map(({ result }) => result);
}
