/** The Worker with one more route: the tensor of a photo. For comparisons, never deployed. */
import { env } from 'cloudflare:workers';
import { createApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import { UnsupportedMediaType } from '../../src/errors.ts';
import { toUploadSource } from '../../src/http/upload-source.ts';
import { findCodec } from '../../src/image/codec.ts';
import { codecs } from '../../src/image/codecs.ts';
import { PreparedPhoto } from '../../src/image/prepared-photo.ts';
import { createUploadLimits, readUpload } from '../../src/predict/upload.ts';
import { createService } from '../../src/service.ts';

const { config, memory, models, ...service } = createService(parseConfig(env), env, codecs);
const app = createApp({ config, memory, models, ...service });

/** Answers float32, little-endian, NHWC. `?resize=squeeze` resizes as models do whose manifest says so. */
app.post('/parity/tensor', async (c) => {
  const limits = { ...createUploadLimits(config, config.MAX_BODY_BYTES), patience: 60_000 };
  const { files, release } = await readUpload(toUploadSource(c.req.raw), memory, limits, 'first');
  try {
    const [bytes] = files;
    const codec = findCodec(codecs, bytes);
    if (!codec) throw new UnsupportedMediaType('The format is not accepted.');
    const { manifest } = await models.classifier((pending) => c.executionCtx.waitUntil(pending));
    const resize = c.req.query('resize') === 'squeeze' ? 'squeeze' : manifest.input.resize;
    const prepared = new PreparedPhoto({ codecs, codec, bytes }, { ...manifest.input, resize });
    prepared.makeRoom({
      bytes: memory.capacityBytes - memory.usedBytes,
      milliseconds: config.MAX_DECODE_MS,
    });
    const { data } = await prepared.toTensor();
    return c.body(Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).buffer);
  } finally {
    release();
  }
});

export default { fetch: app.fetch } satisfies ExportedHandler;
