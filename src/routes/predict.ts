import { type Context, Hono } from 'hono';
import { toPrediction } from '../api/prediction.ts';
import { PROBLEMS } from '../api/problems.ts';
import { type BatchEntry, PredictQuery } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { Failure, InvalidParameter } from '../errors.ts';
import { bearerToken } from '../http/bearer-token.ts';
import { prefersHtml } from '../http/negotiation.ts';
import { toProblem } from '../http/problem.ts';
import { addressLimit, countFurther, tokenLimit } from '../http/rate-limit.ts';
import { PAGE_POLICY } from '../http/security-headers.ts';
import { resultPage } from '../views/result.ts';
import { scoreUpload } from './score-upload.ts';

/** `POST /api/predict`: scores one photo, or several one after the other. */
export const predict = new Hono<AppEnv>().post('/', addressLimit, bearerToken, tokenLimit, async (c) => {
  const { config, codecs } = c.var.service;
  const { MAX_BODY_BYTES, MAX_BATCH_PHOTOS, SCORES } = config;
  const results = await scoreUpload(c, {
    maxBytes: MAX_BODY_BYTES,
    maxPhotos: MAX_BATCH_PHOTOS,
    codecs,
    heatmap: parseQuery(c).heatmap === '1',
    onReceived: (photos) => countFurther(c, photos - 1),
  });
  const [first, ...others] = results;
  if (others.length === 0 && first instanceof Failure) throw first;
  const failures = results.filter((result) => result instanceof Failure);
  const [worst] = failures.toSorted((a, b) => PROBLEMS[b.code].status - PROBLEMS[a.code].status);
  if (worst) c.set('failure', worst);
  const entries = results.map(
    (result): BatchEntry => (result instanceof Failure ? toProblem(result) : toPrediction(result, SCORES)),
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
  throw new InvalidParameter(`The parameter '${issue?.path.join('.')}' has an unknown value.`);
}
