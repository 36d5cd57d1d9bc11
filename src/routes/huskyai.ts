import { Hono } from 'hono';
import { ORIGINAL_FORMATS } from '../api/document.ts';
import { toPercentage } from '../api/prediction.ts';
import type { HuskyAnswer } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { Failure, NotFound } from '../errors.ts';
import { gate } from '../http/gate.ts';
import { isBinary } from '../model/manifest.ts';
import { loadClassifier, scoreUpload } from './score-upload.ts';

/**
 * `POST /huskyai/`: the contract of the original Python server, for its page and its clients. The score is a
 * percentage with two decimals in a string.
 */
export const huskyai = new Hono<AppEnv>()
  .post('/', gate, async (c) => {
    if (!isBinary((await loadClassifier(c)).manifest)) {
      throw new NotFound('The served model is not binary: use /api/predict.');
    }
    const { config, codecs } = c.var.service;
    const [scored] = await scoreUpload(c, {
      maxBytes: config.MAX_BODY_BYTES_HUSKYAI,
      maxPhotos: 'first',
      codecs: codecs.filter(({ format }) => ORIGINAL_FORMATS.includes(format)),
    });
    if (!scored || scored instanceof Failure) throw scored ?? new Error('an upload without photos');
    const [positive = ''] = scored.classifier.manifest.labels;
    const answer: HuskyAnswer = {
      score: toPercentage(scored, positive, config.SCORES),
      text:
        scored.classification.label === positive ? `It is a ${positive}!` : `Does not look like a ${positive} to me.`,
    };
    return c.json(answer);
  })
  .get('/', (c) => c.redirect('/'));
