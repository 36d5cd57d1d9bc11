import type { Context } from 'hono';
import { toPrediction } from '../api/prediction.ts';
import { checkTopK } from '../api/protocols/body.ts';
import type { Prediction } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { Failure, NotFound } from '../errors.ts';
import { countFurther } from '../http/rate-limit.ts';
import type { Classifier } from '../model/classifier.ts';
import { shortVersion } from '../model/layout.ts';
import type { ReadUpload } from '../predict/upload.ts';
import { loadClassifier, scoreUpload } from './score-upload.ts';

/**
 * The served model, if the request's path names it.
 *
 * @param name what the path names; default: its parameter `name`
 * @throws {NotFound} the path names another model or version
 * @throws {ModelUnavailable | ModelUntrusted} no model is served
 */
export async function loadNamed(c: Context<AppEnv>, name = c.req.param('name')): Promise<Classifier> {
  const classifier = await loadClassifier(c);
  const { manifest, version } = classifier;
  if (name !== manifest.name) throw new NotFound(`The served model is '${manifest.name}'.`);
  const wanted = c.req.param('version');
  if (wanted !== undefined && wanted !== version && wanted !== shortVersion(version)) {
    throw new NotFound(`The served version is '${shortVersion(version)}'.`);
  }
  return classifier;
}

/**
 * Scores the photos of a request in a protocol that cannot report a failure for one of them: the first failure fails the
 * request.
 *
 * @param createReader creates the reader of the body, which passes each request to `check`; its `topK` limits the labels
 * @throws {Failure} as `scoreUpload`, or that of a photo
 */
export async function predictAll(
  c: Context<AppEnv>,
  { manifest }: Classifier,
  createReader: (check: (request: { readonly topK: number | undefined }) => void) => ReadUpload,
): Promise<readonly Prediction[]> {
  const { config, codecs } = c.var.service;
  let limit: number | undefined;
  const read = createReader(({ topK }) => {
    checkTopK(topK, manifest.labels.length);
    limit = topK;
  });
  const results = await scoreUpload(c, {
    maxBytes: config.MAX_BODY_BYTES,
    maxPhotos: config.MAX_BATCH_PHOTOS,
    codecs,
    read,
    onReceived: (photos) => countFurther(c, photos - 1),
  });
  return results.map((result, index) => {
    if (!(result instanceof Failure)) return toPrediction(result, config.SCORES, limit);
    if (results.length > 1) result.message = `Photo ${index + 1} of ${results.length}: ${result.message}`;
    throw result;
  });
}
