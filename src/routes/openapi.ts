import { type Context, Hono } from 'hono';
import { type ApiDocument, createApiDocument } from '../api/document.ts';
import type { AppEnv } from '../env.ts';
import { formatPolicy } from '../http/rate-limit.ts';
import { renderOnce, revalidate } from './static-document.ts';

/** `GET /openapi.json`: the OpenAPI document of the API as it is set up here. */
export const openapi: Hono<AppEnv> = new Hono<AppEnv>()
  .use(revalidate)
  .get('/', async (c) => c.body(await renderDocument(c), 200, { 'Content-Type': 'application/json' }));

const renderDocument = renderOnce((c) => JSON.stringify(describeApi(c)));

/** The document of the API at the request's origin. */
export function describeApi(c: Context<AppEnv>): ApiDocument {
  const { config, codecs, photoLimits } = c.var.service;
  return createApiDocument({
    origin: new URL(c.req.url).origin,
    token: config.API_TOKENS.length > 0,
    rateLimit: formatPolicy(photoLimits),
    maxPhotos: config.MAX_BATCH_PHOTOS,
    maxBytes: config.MAX_BODY_BYTES,
    maxBytesHuskyai: config.MAX_BODY_BYTES_HUSKYAI,
    hidesScores: config.SCORES === 'label',
    formats: codecs,
  });
}
