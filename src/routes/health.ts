import { Hono } from 'hono';
import type { Health } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { shortVersion } from '../model/layout.ts';

/**
 * `GET /api/health`: 200 when a prediction works and the model passes all its probes, else the 503 that a prediction
 * would get. `degraded`: it works, but with an older version than the channel's.
 */
export const health = new Hono<AppEnv>().get('/', async (c) => {
  const { models } = c.var.service;
  const { version, manifest } = await models.test((pending) => c.executionCtx.waitUntil(pending));
  const model = { name: manifest.name, version: shortVersion(version) };
  const { trouble } = models;
  const answer: Health = { status: trouble ? 'degraded' : 'ok', model };
  if (trouble) {
    const { error, since } = trouble;
    answer.reason = { code: error.code, detail: error.message, since: since.toISOString() };
  }
  return c.json(answer);
});
