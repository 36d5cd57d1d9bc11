/**
 * `node server.js MODEL`: the Worker's prediction as one would build it in Node: sharp with shrink-on-load and
 * onnxruntime-node, one thread each, behind node:http. Prints its address.
 */
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const [, , model = ''] = process.argv;
sharp.concurrency(1);
sharp.cache(false);
const session = await InferenceSession.create(model, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
});
const [input = ''] = session.inputNames;
const [photos] = session.inputMetadata;
/** Pixels per side, of an input (N, SIDE, SIDE, 3). */
const SIDE = photos?.isTensor ? Number(photos.shape[1]) : 0;
const [output = ''] = session.outputNames;
/** Turns the heat map off, in a model that has one. */
const noHeatMap = session.inputNames.includes('heatmaps') ? { heatmaps: new Tensor('int64', [0n], [1]) } : {};

/** P(husky) of a photo. @param {Buffer} photo */
async function score(photo) {
  const square = sharp(photo).resize(SIDE, SIDE, { fit: 'fill', kernel: 'cubic' });
  const rgb = await square.removeAlpha().toColourspace('srgb').raw().toBuffer();
  const pixels = new Tensor(
    'float32',
    Float32Array.from(rgb, (byte) => byte / 255),
    [1, SIDE, SIDE, 3],
  );
  const results = await session.run({ [input]: pixels, ...noHeatMap }, [output]);
  return Number(results[output]?.data[0]);
}

const server = http.createServer(async (request, response) => {
  response.setHeader('Content-Type', 'application/json');
  try {
    response.end(JSON.stringify({ score: await score(await buffer(request)) }));
  } catch (error) {
    response.writeHead(422).end(JSON.stringify({ error: String(error) }));
  }
});
// Longer than the other contenders' turns take: a connection must not be closed just before it is used again.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === 'object' && address?.port}`);
});
