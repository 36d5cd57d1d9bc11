import { type Context, Hono } from 'hono';
import type { ModelInfo } from '../api/schemas.ts';
import type { AppEnv } from '../app.ts';
import { type Config, configOf } from '../config.ts';
import { shortVersion } from '../model/layout.ts';
import { classifierOf } from '../scoring.ts';

/** `GET /api/model`: what is served, what it was made from, and how it was verified. */
export const model = new Hono<AppEnv>().get('/', async (c) => c.json(await modelInfo(c)));

/**
 * What is known of the model that is served, and how the service is set up.
 *
 * @throws {ModelUnavailable | ModelUntrusted} none is served
 */
export async function modelInfo(c: Context<AppEnv>): Promise<ModelInfo> {
  const { version, manifest, signer, verifiedAt } = await classifierOf(c);
  const config = configOf(c.env);
  const { MODEL_CHANNEL, MODEL_VERSION } = config;
  const { name, input, labels, threshold, heatmap, files, source, tools, metrics } = manifest;
  return {
    name,
    version: shortVersion(version),
    digest: version,
    channel: MODEL_VERSION === '' ? MODEL_CHANNEL : null,
    pinned: MODEL_VERSION !== '',
    labels,
    threshold,
    input: { width: input.width, height: input.height, resampling: input.resampling },
    heatmap: heatmap && { rows: heatmap.rows, columns: heatmap.columns },
    verified: { method: 'signature', signer, at: verifiedAt.toISOString() },
    metrics,
    files,
    source,
    tools,
    service: serviceOf(config),
  };
}

function serviceOf(config: Config): ModelInfo['service'] {
  return {
    token: config.API_TOKENS.length > 0,
    score: config.SCORES,
    batch: config.MAX_BATCH_PHOTOS,
    bytes: config.MAX_BODY_BYTES,
    formats: [
      { name: 'JPEG', mediaTypes: ['image/jpeg'] },
      { name: 'PNG', mediaTypes: ['image/png'] },
      { name: 'GIF', mediaTypes: ['image/gif'] },
      { name: 'WebP', mediaTypes: ['image/webp'] },
    ],
    source: config.SOURCE_URL === '' ? null : config.SOURCE_URL,
  };
}
