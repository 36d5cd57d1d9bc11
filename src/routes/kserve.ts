import { Hono } from 'hono';
import { kserveForm, toKServe, toKServeStatus } from '../api/protocols/kserve.ts';
import type { AppEnv } from '../env.ts';
import { gate } from '../http/gate.ts';
import { shortVersion } from '../model/layout.ts';
import { jsonUpload } from '../predict/json-upload.ts';
import { loadNamed, predictAll } from './named-model.ts';

const PREDICT = ':predict';

/** `GET /v1/models/{name}`, `POST /v1/models/{name}:predict`: the protocol of TensorFlow Serving, and KServe's V1. */
export const kserve = new Hono<AppEnv>()
  .get('/:name{[^/:]+}', async (c) => {
    const { manifest, version } = await loadNamed(c);
    return c.json(toKServeStatus(manifest.name, shortVersion(version)));
  })
  .post(`/:name{[^/]+${PREDICT}}`, gate, async (c) => {
    const classifier = await loadNamed(c, c.req.param('name').slice(0, -PREDICT.length));
    return c.json(toKServe(await predictAll(c, classifier, (check) => jsonUpload(kserveForm, check))));
  });
