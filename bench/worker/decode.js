/**
 * The decoders alone: `POST /SIDE` decodes a photo for an input of SIDE x SIDE and answers with the estimated milliseconds;
 * `POST /SIDE/LIMIT` refuses a photo whose estimate is above LIMIT milliseconds.
 */
import { Failure } from '../../src/errors.ts';
import { findCodec } from '../../src/image/codec.ts';
import { codecs } from '../../src/image/codecs.ts';
import { PreparedPhoto } from '../../src/image/prepared-photo.ts';

/** Bytes that decoding may take: as much as an isolate leaves while a body of 20 MB is in memory. */
const MEMORY = 45_000_000;

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request) {
    const [, side, limit] = new URL(request.url).pathname.split('/').map(Number);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const codec = findCodec(codecs, bytes);
    if (!codec || !side) return new Response(null, { status: 400 });
    let estimate = 0;
    try {
      const photo = new PreparedPhoto({ codecs, codec, bytes }, { width: side, height: side, resampling: 'bicubic' });
      estimate = photo.decodeMilliseconds;
      if (limit) photo.makeRoom({ bytes: MEMORY, milliseconds: limit });
      await photo.toTensor();
      return Response.json({ estimate, outcome: 'decoded' });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return Response.json({ estimate, outcome: error.code });
    }
  },
};
