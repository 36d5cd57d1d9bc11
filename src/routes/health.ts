import { Hono } from 'hono';
import type { Health } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { shortVersion } from '../model/layout.ts';
import { loadClassifier } from './score-upload.ts';

/**
 * `GET /api/health`: 200 when a prediction would work, else the 503 that it would get. `degraded`: it works, but with
 * an older version than the channel's.
 */
export const health = new Hono<AppEnv>().get('/', async (c) => {
  const { version, manifest } = await loadClassifier(c);
  const model = { name: manifest.name, version: shortVersion(version) };
  const { trouble } = c.var.service.models;
  const answer: Health = { status: trouble ? 'degraded' : 'ok', model };
  if (trouble) {
    const { error, since } = trouble;
    answer.reason = { code: error.code, detail: error.message, since: since.toISOString() };
  }
  return c.json(answer);
});
