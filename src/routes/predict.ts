import { Hono } from 'hono';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { shortVersion } from '../model/layout.ts';
import { scorePhoto } from '../scoring.ts';

/** `POST /api/predict`: a photo in, scores out. */
export const predict = new Hono<AppEnv>().post('/', async (c) => {
  const { MAX_BODY_BYTES } = configOf(c.env);
  const { classification, classifier, image } = await scorePhoto(c, MAX_BODY_BYTES, [
    'jpeg',
    'png',
    'gif',
    'webp',
  ]);
  const { version, manifest } = classifier;
  return c.json({ ...classification, image, model: { name: manifest.name, version: shortVersion(version) } });
});
