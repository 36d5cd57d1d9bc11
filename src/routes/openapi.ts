import { type Context, Hono } from 'hono';
import { type ApiDocument, apiDocument } from '../api/document.ts';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { policyOf } from '../middleware/rate-limit.ts';

/** `GET /openapi.json`: what the API asks and answers, as it is set up here. */
export const openapi: Hono<AppEnv> = new Hono<AppEnv>().get('/', (c) => c.json(documentOf(c)));

/** The document of the API at the origin that was asked. */
export function documentOf(c: Context<AppEnv>): ApiDocument {
  const config = configOf(c.env);
  return apiDocument({
    origin: new URL(c.req.url).origin,
    token: config.API_TOKENS.length > 0,
    rateLimit: policyOf(c.env, config),
    maxPhotos: config.MAX_BATCH_PHOTOS,
    maxBytes: config.MAX_BODY_BYTES,
    maxBytesHuskyai: config.MAX_BODY_BYTES_HUSKYAI,
  });
}
