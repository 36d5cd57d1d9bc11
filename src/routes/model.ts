import { type Context, Hono } from 'hono';
import type { ModelInfo } from '../api/schemas.ts';
import type { AppEnv, Service } from '../env.ts';
import { shortVersion } from '../model/layout.ts';
import { isIndependent } from '../model/manifest.ts';
import { loadClassifier } from './score-upload.ts';

/** `GET /api/model`: the served model, its origin and its verification. */
export const model = new Hono<AppEnv>().get('/', async (c) => c.json(await describeModel(c)));

/**
 * The served model, and how the service is set up.
 *
 * @throws {ModelUnavailable | ModelUntrusted} no model is served
 */
export async function describeModel(c: Context<AppEnv>): Promise<ModelInfo> {
  const classifier = await loadClassifier(c);
  const { version, manifest, signer, verifiedAt } = classifier;
  const { config, models } = c.var.service;
  const { MODEL_CHANNEL, MODEL_VERSION } = config;
  const { name, input, labels, threshold, heatmap, files, source, tools, metrics } = manifest;
  return {
    name,
    version: shortVersion(version),
    digest: version,
    channel: MODEL_VERSION === '' ? MODEL_CHANNEL : null,
    pinned: MODEL_VERSION !== '',
    role: models.roleOf(classifier),
    labels,
    ...(isIndependent(manifest) && { independent: true }),
    threshold,
    input: {
      width: input.width,
      height: input.height,
      color: input.color,
      resize: input.resize ?? 'squeeze',
      resampling: input.resampling,
    },
    heatmap: heatmap && { rows: heatmap.rows, columns: heatmap.columns },
    verified: { method: 'signature', signer, at: verifiedAt.toISOString() },
    metrics,
    files,
    source,
    tools,
    service: describeService(c.var.service),
  };
}

function describeService({ config, codecs }: Service): ModelInfo['service'] {
  return {
    token: config.API_TOKENS.length > 0,
    score: config.SCORES,
    batch: config.MAX_BATCH_PHOTOS,
    bytes: config.MAX_BODY_BYTES,
    formats: codecs.map(({ name, mediaTypes }) => ({ name, mediaTypes: [...mediaTypes] })),
    source: config.SOURCE_URL === '' ? null : config.SOURCE_URL,
  };
}
