import { type Context, Hono } from 'hono';
import { toPrediction } from '../api/prediction.ts';
import { PROBLEMS } from '../api/problems.ts';
import { checkTopK } from '../api/protocols/body.ts';
import { imageForm } from '../api/protocols/image.ts';
import { type BatchEntry, PredictQuery } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { Failure, InvalidParameter } from '../errors.ts';
import { gate } from '../http/gate.ts';
import { prefersHtml } from '../http/negotiation.ts';
import { toProblem } from '../http/problem.ts';
import { countFurther } from '../http/rate-limit.ts';
import { PAGE_POLICY } from '../http/security-headers.ts';
import { isJson } from '../http/upload-source.ts';
import { jsonUpload } from '../predict/json-upload.ts';
import { readUpload } from '../predict/upload.ts';
import { resultPage } from '../views/result.ts';
import { loadClassifier, scoreUpload } from './score-upload.ts';

/** `POST /api/predict`: scores one photo, or several one after the other. */
export const predict = new Hono<AppEnv>().post('/', gate, async (c) => {
  const { config, codecs } = c.var.service;
  const { MAX_BODY_BYTES, MAX_BATCH_PHOTOS, SCORES } = config;
  const { heatmap, top_k: topK } = parseQuery(c);
  if (topK !== undefined) checkTopK(topK, (await loadClassifier(c)).manifest.labels.length);
  const results = await scoreUpload(c, {
    maxBytes: MAX_BODY_BYTES,
    maxPhotos: MAX_BATCH_PHOTOS,
    codecs,
    heatmap: heatmap === '1',
    read: isJson(c.req.raw) ? jsonUpload(imageForm, () => {}) : readUpload,
    onReceived: (photos) => countFurther(c, photos - 1),
  });
  const [first, ...others] = results;
  if (others.length === 0 && first instanceof Failure) throw first;
  const failures = results.filter((result) => result instanceof Failure);
  const [worst] = failures.toSorted((a, b) => PROBLEMS[b.code].status - PROBLEMS[a.code].status);
  if (worst) c.set('failure', worst);
  const entries = results.map(
    (result): BatchEntry => (result instanceof Failure ? toProblem(result) : toPrediction(result, SCORES, topK)),
  );
  c.header('Vary', 'Accept', { append: true });
  if (prefersHtml(c)) {
    c.header('Content-Security-Policy', PAGE_POLICY);
    return c.html(resultPage(entries));
  }
  return c.json(entries.length === 1 ? entries[0] : entries);
});

function parseQuery(c: Context): PredictQuery {
  const parsed = PredictQuery.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidParameter(`The parameter '${issue?.path.join('.')}' is not valid.`);
}
