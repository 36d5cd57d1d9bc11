/** The Worker, and routes that decode a JPEG at a scale of the caller's choice instead of the one it would choose. */
import { createApp } from '../../src/app.ts';
import { configOf } from '../../src/config.ts';
import { decodeJpeg } from '../../src/image/jpeg/decode.ts';
import { readJpegHeader } from '../../src/image/jpeg/header.ts';
import { jpegReduction } from '../../src/image/jpeg/reduction.ts';
import { toUprightTensor, upright } from '../../src/image/orientation.ts';
import { createReducer } from '../../src/image/reducer.ts';
import { resize } from '../../src/image/resize.ts';
import { createIsolate } from '../../src/isolate.ts';
import { classifierOf } from '../../src/scoring.ts';

/** @type {import('../../src/isolate.ts').Isolate | undefined} */
let isolate;

const app = createApp((env) => {
  isolate ??= createIsolate(configOf(env));
  return isolate;
});

/**
 * @param {Uint8Array} bytes
 * @param {import('../../src/image/prepared-photo.ts').TensorSpec} spec
 * @param {number} scale 1, 2, 4 or 8
 */
function toTensor(bytes, spec, scale) {
  const header = readJpegHeader(bytes);
  const target = upright(spec, header.orientation);
  // A target that makes the decoder choose this scale and reduce no further.
  const room = 2.4 * scale;
  const wanted = { width: Math.floor(header.width / room), height: Math.floor(header.height / room) };
  if (jpegReduction(header, wanted) !== scale) throw new Error(`too small for 1/${scale}`);
  const { rgba, width, height } = decodeJpeg(bytes, header, wanted);
  const reducer = createReducer({ width: header.width / scale, height: header.height / scale }, target);
  for (let y = 0; y < height; y++)
    reducer.add(y, rgba.subarray(y * width * 4, (y + 1) * width * 4), 4, width);
  return toUprightTensor(resize(reducer.finish(), target, spec.resampling), target, header.orientation);
}

/** Answers the tensor (float32, little-endian, NHWC), the score in a header. */
app.post('/bench/scale/:scale', async (c) => {
  const { manifest, classify } = await classifierOf(c);
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  const data = toTensor(bytes, manifest.input, Number(c.req.param('scale')));
  const { score } = await classify(data);
  c.header('X-Score', String(score));
  return c.body(Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).buffer);
});

/** @satisfies {ExportedHandler<import('../../src/config.ts').Env>} */
export default { fetch: app.fetch };
