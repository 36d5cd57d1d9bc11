import { type Context, Hono } from 'hono';
import { toOpenInference } from '../api/protocols/infer-answer.ts';
import {
  checkOutputs,
  describeTensors,
  type InferRequest,
  type OpenInferenceServer,
  openInferenceForm,
  parseInferHeader,
} from '../api/protocols/open-inference.ts';
import type { AppEnv } from '../env.ts';
import { InvalidBody } from '../errors.ts';
import { gate } from '../http/gate.ts';
import { shortVersion } from '../model/layout.ts';
import { jsonUpload } from '../predict/json-upload.ts';
import { tensorUpload } from '../predict/tensor-upload.ts';
import { loadNamed, predictAll } from './named-model.ts';

const HEADER_LENGTH = 'Inference-Header-Content-Length';

/** `/v2/…`: the Open Inference Protocol, which is KServe's V2 and Triton's, with its binary extension. */
export const openInference = new Hono<AppEnv>()
  .get('/', (c) => c.json(SERVER))
  .get('/health/live', (c) => c.json({ live: true }))
  .get('/health/ready', async (c) => {
    await c.var.service.models.test((pending) => c.executionCtx.waitUntil(pending));
    return c.json({ ready: true });
  })
  .get('/models/:name', describe)
  .get('/models/:name/ready', reportReady)
  .post('/models/:name/infer', gate, infer)
  .get('/models/:name/versions/:version', describe)
  .get('/models/:name/versions/:version/ready', reportReady)
  .post('/models/:name/versions/:version/infer', gate, infer);

const SERVER: OpenInferenceServer = { name: 'husky-ai', version: '2', extensions: ['binary_tensor_data'] };

async function describe(c: Context<AppEnv>): Promise<Response> {
  const { manifest, version } = await loadNamed(c);
  return c.json(describeTensors(manifest.name, shortVersion(version), c.var.service.config.SCORES === 'label'));
}

async function reportReady(c: Context<AppEnv>): Promise<Response> {
  const { manifest } = await loadNamed(c);
  return c.json({ name: manifest.name, ready: true });
}

async function infer(c: Context<AppEnv>): Promise<Response> {
  const classifier = await loadNamed(c);
  const hidesScores = c.var.service.config.SCORES === 'label';
  let request: InferRequest | undefined;
  const predictions = await predictAll(c, classifier, (check) => {
    const onRequest = (received: InferRequest) => {
      check(received);
      checkOutputs(received, hidesScores);
      request = received;
    };
    const headerLength = parseHeaderLength(c);
    return headerLength === undefined
      ? jsonUpload(openInferenceForm, onRequest)
      : tensorUpload(headerLength, parseInferHeader, onRequest);
  });
  if (!request) throw new Error('an upload without a request');
  const { json, binary } = toOpenInference(predictions, request);
  if (binary.length === 0) return c.json(json);
  const header = new TextEncoder().encode(JSON.stringify(json));
  return c.body(await new Blob([header, ...binary]).arrayBuffer(), 200, {
    'Content-Type': 'application/octet-stream',
    [HEADER_LENGTH]: String(header.length),
  });
}

/** The length of the JSON before binary data; undefined where the whole body is JSON. */
function parseHeaderLength(c: Context<AppEnv>): number | undefined {
  const header = c.req.header(HEADER_LENGTH);
  if (header === undefined) return undefined;
  if (!/^\d{1,9}$/.test(header)) throw new InvalidBody(`The header '${HEADER_LENGTH}' is not a number of bytes.`);
  return Number(header);
}
