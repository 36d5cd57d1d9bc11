/** The Worker as it is, and one more route: the tensor that a photo becomes. For comparing, never deployed. */
import { createApp } from '../../src/app.ts';
import { configOf, type Env } from '../../src/config.ts';
import { photoToTensor } from '../../src/image/tensor.ts';
import { createIsolate, type Isolate } from '../../src/isolate.ts';
import { classifierOf } from '../../src/scoring.ts';
import { photoIn, readUpload } from '../../src/upload/photo.ts';

let isolate: Isolate | undefined;

const app = createApp((env) => {
  isolate ??= createIsolate(configOf(env), env.MODELS);
  return isolate;
});

/** Answers float32, little-endian, NHWC. */
app.post('/parity/tensor', async (c) => {
  const config = configOf(c.env);
  const { memory } = c.var.isolate;
  const limits = { maxBytes: config.MAX_BODY_BYTES, timeout: 60_000, idleTimeout: 60_000, patience: 60_000 };
  const { files, release } = await readUpload(c.req.raw, memory, limits, 'first');
  try {
    const photo = photoIn(files[0], ['jpeg', 'png', 'gif', 'webp']);
    const { manifest } = await classifierOf(c);
    const { data } = await photoToTensor(photo, manifest.input, memory.capacityBytes - memory.usedBytes);
    return c.body(Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).buffer);
  } finally {
    release();
  }
});

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
