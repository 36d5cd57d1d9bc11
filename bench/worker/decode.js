/** The decoders alone: `POST /?side=N` decodes a photo for an input of N x N and reports how it did. */
import { codecs } from '../../src/image/codecs.ts';
import { findCodec } from '../../src/image/codec.ts';
import { PreparedPhoto } from '../../src/image/prepared-photo.ts';

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request) {
    const url = new URL(request.url);
    const side = Number(url.searchParams.get('side') ?? 224);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const codec = findCodec(codecs, bytes);
    if (!codec) return Response.json({ error: 'unknown format' });
    try {
      const t0 = Date.now();
      const p = new PreparedPhoto({ codecs, codec, bytes }, { width: side, height: side, resampling: 'bicubic' });
      const t1 = Date.now();
      if (url.searchParams.has('dry')) return Response.json({ header: t1 - t0 });
      await p.toTensor();
      return Response.json({ header: t1 - t0, decode: Date.now() - t1 });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
};
