/**
 * The decoders alone: `POST /SIDE` decodes a photo for an input of SIDE x SIDE and answers with the estimated milliseconds;
 * `POST /SIDE/LIMIT` refuses a photo whose estimate is above LIMIT milliseconds. Answers contain the bytes of the lease, and with
 * `?fresh` those of the decoder's wasm memory. `?squeeze` resamples as for a model whose manifest says how.
 */

import { Failure } from '../../src/errors.ts';
import { dropIdle } from '../../src/image/budget.ts';
import { findCodec } from '../../src/image/codec.ts';
import { codecs } from '../../src/image/codecs.ts';
import { PreparedPhoto } from '../../src/image/prepared-photo.ts';

/** Bytes that decoding may take: as much as an isolate leaves while a body of 20 MB is in memory. */
const MEMORY = 45_000_000;

/** @type {{ memory?: WebAssembly.Memory }} the memory of the latest instance; photon, the first, starts before this */
const latest = {};

WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  /** @param {[WebAssembly.Module, WebAssembly.Imports?]} args */
  construct(target, args) {
    const instance = new target(...args);
    for (const value of Object.values(instance.exports)) if (value instanceof WebAssembly.Memory) latest.memory = value;
    return instance;
  },
});

const decoderBytes = () => latest.memory?.buffer.byteLength ?? 0;

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const [, side, limit] = pathname.split('/').map(Number);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const codec = findCodec(codecs, bytes);
    if (!codec || !side) return new Response(null, { status: 400 });
    let estimate = 0;
    let lease = 0;
    // A decoder that is kept has no new memory.
    if (searchParams.has('fresh')) dropIdle(codecs);
    delete latest.memory;
    try {
      const spec = /** @type {const} */ ({ width: side, height: side, resampling: 'bicubic' });
      const resize = searchParams.has('squeeze') ? 'squeeze' : undefined;
      const photo = new PreparedPhoto({ codecs, codec, bytes }, { ...spec, resize });
      estimate = photo.decodeMilliseconds;
      lease = photo.peakBytes;
      if (limit) photo.makeRoom({ bytes: MEMORY, milliseconds: limit });
      await photo.toTensor();
      return Response.json({ estimate, lease, decoder: decoderBytes(), outcome: 'decoded' });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return Response.json({ estimate, lease, decoder: decoderBytes(), outcome: error.code });
    }
  },
};
