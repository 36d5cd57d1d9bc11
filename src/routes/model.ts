import { Hono } from 'hono';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { shortVersion } from '../model/layout.ts';
import { classifierOf } from '../scoring.ts';

/** `GET /api/model`: what is served, what it was made from, and how it was verified. */
export const model = new Hono<AppEnv>().get('/', async (c) => {
  const { version, manifest, signer, verifiedAt } = await classifierOf(c);
  const { MODEL_CHANNEL, MODEL_VERSION } = configOf(c.env);
  const { name, input, labels, threshold, files, source, tools, metrics } = manifest;
  return c.json({
    name,
    version: shortVersion(version),
    digest: version,
    channel: MODEL_VERSION === '' ? MODEL_CHANNEL : null,
    pinned: MODEL_VERSION !== '',
    labels,
    threshold,
    input: { width: input.width, height: input.height, resampling: input.resampling },
    verified: { method: 'signature', signer, at: verifiedAt.toISOString() },
    metrics,
    files,
    source,
    tools,
  });
});
