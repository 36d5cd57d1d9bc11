/**
 * ONNX Runtime alone, set up as in the Worker. `POST /load/NAME/SIZE/BYTES` takes a network whose input has SIZE pixels on
 * each side: BYTES bytes of the graph, then the weights, if they are not in the graph. `POST /run/NAME/TIMES` runs it TIMES times.
 */
import { Tensor } from 'onnxruntime-web/wasm';
import { runtime } from '../../src/model/worker-runtime.ts';

/** @type {Map<string, { session: import('onnxruntime-web/wasm').InferenceSession, feeds: Record<string, Tensor> }>} */
const models = new Map();

/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} size @param {number} graphBytes */
async function load(bytes, size, graphBytes) {
  const weights = graphBytes < bytes.byteLength ? bytes.slice(graphBytes) : undefined;
  const session = await runtime.createSession({ graph: bytes.subarray(0, graphBytes), weights });
  const pixels = Float32Array.from({ length: size * size * 3 }, (_, i) => (Math.sin(i) + 1) / 2);
  /** @type {Record<string, Tensor>} */
  const feeds = { input: new Tensor('float32', pixels, [1, size, size, 3]) };
  if (session.inputNames.includes('heatmaps')) feeds.heatmaps = new Tensor('int64', [0n], [1]);
  return { session, feeds };
}

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request) {
    const [, action = '', name = '', number = '', graphBytes = ''] = new URL(request.url).pathname.split('/');
    if (action === 'load') {
      const bytes = new Uint8Array(await request.arrayBuffer());
      models.set(name, await load(bytes, Number(number), Number(graphBytes)));
    }
    const model = models.get(name);
    for (let run = 0; model && run < Number(action === 'run' && number); run++)
      await model.session.run(model.feeds, ['scores']);
    return new Response(action, { status: model ? 200 : 404 });
  },
};
