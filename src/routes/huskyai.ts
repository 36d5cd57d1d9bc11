import { Hono } from 'hono';
import { percentageOf } from '../answer.ts';
import type { HuskyAnswer } from '../api/schemas.ts';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { NotFound } from '../errors.ts';
import { gif } from '../image/gif/codec.ts';
import { jpeg } from '../image/jpeg/codec.ts';
import { png } from '../image/png/codec.ts';
import { addressLimit, tokenLimit } from '../middleware/rate-limit.ts';
import { bearerToken } from '../middleware/token.ts';
import { isBinary } from '../model/manifest.ts';
import { classifierOf, scorePhoto } from '../scoring.ts';

/**
 * `POST /huskyai/`: the contract of the original's Python server, for its page and its clients. The score is a
 * percentage with two decimals in a string.
 */
export const huskyai = new Hono<AppEnv>()
  .post('/', addressLimit, bearerToken, tokenLimit, async (c) => {
    if (!isBinary((await classifierOf(c)).manifest)) {
      throw new NotFound('The model that is served answers more than yes or no: use /api/predict.');
    }
    const { MAX_BODY_BYTES_HUSKYAI, SCORES } = configOf(c.env);
    const scored = await scorePhoto(c, { maxBytes: MAX_BODY_BYTES_HUSKYAI, codecs: [png, jpeg, gif] });
    const [positive = ''] = scored.classifier.manifest.labels;
    const answer: HuskyAnswer = {
      score: percentageOf(scored, positive, SCORES),
      text:
        scored.classification.label === positive
          ? `It is a ${positive}!`
          : `Does not look like a ${positive} to me.`,
    };
    return c.json(answer);
  })
  .get('/', (c) => c.redirect('/'));
