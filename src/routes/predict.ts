import { type Context, Hono } from 'hono';
import { predictionOf } from '../answer.ts';
import { PredictQuery } from '../api/requests.ts';
import type { BatchEntry } from '../api/schemas.ts';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { ApiError, InvalidParameter } from '../errors.ts';
import { codecs } from '../image/codecs.ts';
import { addressLimit, countFurther, tokenLimit } from '../middleware/rate-limit.ts';
import { PAGE_POLICY } from '../middleware/security-headers.ts';
import { bearerToken } from '../middleware/token.ts';
import { prefersHtml } from '../negotiation.ts';
import { problemOf } from '../problem.ts';
import { scorePhotos } from '../scoring.ts';
import { resultPage } from '../views/result.ts';

/** `POST /api/predict`: a photo in, scores out; or several, one after the other. */
export const predict = new Hono<AppEnv>().post('/', addressLimit, bearerToken, tokenLimit, async (c) => {
  const { MAX_BODY_BYTES, MAX_BATCH_PHOTOS, SCORES } = configOf(c.env);
  const outcomes = await scorePhotos(c, {
    maxBytes: MAX_BODY_BYTES,
    maxPhotos: MAX_BATCH_PHOTOS,
    codecs,
    heatmap: queryOf(c).heatmap === '1',
    onReceived: (photos) => countFurther(c, photos - 1),
  });
  const failures = outcomes.filter((outcome) => outcome instanceof ApiError);
  const [worst] = failures.toSorted((a, b) => b.status - a.status);
  const [first, ...others] = outcomes;
  if (others.length === 0 && first instanceof ApiError) throw first;
  if (worst) c.set('failure', worst);
  const entries = outcomes.map(
    (outcome): BatchEntry =>
      outcome instanceof ApiError ? problemOf(outcome) : predictionOf(outcome, SCORES),
  );
  c.header('Vary', 'Accept', { append: true });
  if (prefersHtml(c)) {
    c.header('Content-Security-Policy', PAGE_POLICY);
    return c.html(resultPage(entries));
  }
  return c.json(entries.length === 1 ? entries[0] : entries);
});

function queryOf(c: Context): PredictQuery {
  const parsed = PredictQuery.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidParameter(`The parameter '${issue?.path.join('.')}' is not what it should be.`);
}
