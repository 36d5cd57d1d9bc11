import { Hono } from 'hono';
import type { AppEnv } from '../app.ts';
import { shortVersion } from '../model/layout.ts';
import { classifierOf } from '../scoring.ts';

/** `GET /api/health`: 200 when a prediction would work; else the 503 that it would get. */
export const health = new Hono<AppEnv>().get('/', async (c) => {
  const { version, manifest } = await classifierOf(c);
  return c.json({ status: 'ok', model: { name: manifest.name, version: shortVersion(version) } });
});
