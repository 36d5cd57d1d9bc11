/**
 * Nothing but ONNX Runtime, set up as the Worker does it. `POST /load/NAME/SIZE` takes a model whose input has that
 * many pixels a side, `POST /run/NAME/TIMES` runs it so often.
 */
import { Tensor } from 'onnxruntime-web/wasm';
import { createSession } from '../../src/model/runtime.ts';

/** @typedef {{ session: import('onnxruntime-web/wasm').InferenceSession, feeds: Record<string, Tensor> }} Model */

/** @type {Map<string, Model>} */
const models = new Map();

/**
 * @param {Uint8Array} onnx
 * @param {number} size
 * @returns {Promise<Model>}
 */
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
    if (action === 'load') {
      models.set(name, await load(new Uint8Array(await request.arrayBuffer()), Number(number)));
      return new Response('loaded');
    }
    const model = models.get(name);
    if (!model) return new Response('no such model', { status: 404 });
    for (let run = 0; run < Number(number); run++) await model.session.run(model.feeds, ['scores']);
    return new Response('run');
  },
};
