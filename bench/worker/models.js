/**
 * ONNX Runtime alone, set up as in the Worker. `POST /load/NAME/SIZE` takes a model whose input has SIZE pixels on each side,
 * `POST /run/NAME/TIMES` runs it TIMES times.
 */
import { Tensor } from 'onnxruntime-web/wasm';
import { createSession } from '../../src/model/runtime.ts';

/** @type {Map<string, { session: import('onnxruntime-web/wasm').InferenceSession, feeds: Record<string, Tensor> }>} */
const models = new Map();

/** @param {Uint8Array} onnx @param {number} size */
async function load(onnx, size) {
  const session = await createSession(onnx);
  const pixels = Float32Array.from({ length: size * size * 3 }, (_, i) => (Math.sin(i) + 1) / 2);
  /** @type {Record<string, Tensor>} */
  const feeds = { input: new Tensor('float32', pixels, [1, size, size, 3]) };
  if (session.inputNames.includes('heatmaps')) feeds.heatmaps = new Tensor('int64', [0n], [1]);
  return { session, feeds };
}

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request) {
    const [, action = '', name = '', number = ''] = new URL(request.url).pathname.split('/');
    if (action === 'load') models.set(name, await load(new Uint8Array(await request.arrayBuffer()), Number(number)));
    const model = models.get(name);
    for (let run = 0; model && run < Number(action === 'run' && number); run++)
      await model.session.run(model.feeds, ['scores']);
    return new Response(action, { status: model ? 200 : 404 });
  },
};
