/**
 * `node server.js --port N --model FILE`: the same answer as the Worker's, as one would build it in Node: sharp with
 * shrink-on-load and onnxruntime-node, each in one thread, behind Node's own http.
 */
import http from 'node:http';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const SIDE = 128;

const { values } = parseArgs({ options: { port: { type: 'string' }, model: { type: 'string' } } });

sharp.concurrency(1);
sharp.cache(false);
const session = await InferenceSession.create(values.model ?? '', {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
});
const [input = ''] = session.inputNames;
const [output = ''] = session.outputNames;
/** How many heat maps are wanted, for a model that can make them. */
const none = session.inputNames.includes('heatmaps')
  ? { heatmaps: new Tensor('int64', BigInt64Array.of(0n), [1]) }
  : {};

/** P(husky) of a photo. @param {Buffer} photo */
async function score(photo) {
  const rgb = await sharp(photo)
    .resize(SIDE, SIDE, { fit: 'fill', kernel: 'cubic' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const data = Float32Array.from(rgb, (byte) => byte / 255);
  const pixels = new Tensor('float32', data, [1, SIDE, SIDE, 3]);
  const results = await session.run({ [input]: pixels, ...none }, [output]);
  return Number(results[output]?.data[0]);
}

/** @param {http.IncomingMessage} request */
async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const server = http.createServer(async (request, response) => {
  response.setHeader('Content-Type', 'application/json');
  try {
    const answer = request.method === 'POST' ? { score: await score(await read(request)) } : { status: 'ok' };
    response.end(JSON.stringify(answer));
  } catch (error) {
    response.statusCode = 422;
    response.end(JSON.stringify({ error: String(error) }));
  }
});
// Longer than the others' turns take, so that a connection is never closed while it is about to be used again.
server.keepAliveTimeout = 600_000;
server.listen(Number(values.port), '127.0.0.1');
