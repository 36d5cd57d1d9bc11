import { Hono } from 'hono';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { NotFound } from '../errors.ts';
import { isBinary } from '../model/manifest.ts';
import { classifierOf, scorePhoto } from '../scoring.ts';

/**
 * `POST /huskyai/`: the contract of the original's Python server, for its page and its clients. The score is a
 * percentage with two decimals in a string.
 */
export const huskyai = new Hono<AppEnv>()
  .post('/', async (c) => {
    if (!isBinary((await classifierOf(c)).manifest)) {
      throw new NotFound('The model that is served answers more than yes or no: use /api/predict.');
    }
    const { MAX_BODY_BYTES_HUSKYAI } = configOf(c.env);
    const { classification, classifier } = await scorePhoto(c, MAX_BODY_BYTES_HUSKYAI, [
      'png',
      'jpeg',
      'gif',
    ]);
    const [positive] = classifier.manifest.labels;
    return c.json({
      score: (classification.score * 100).toFixed(2),
      text:
        classification.label === positive
          ? `It is a ${positive}!`
          : `Does not look like a ${positive} to me.`,
    });
  })
  .get('/', (c) => c.redirect('/'));
