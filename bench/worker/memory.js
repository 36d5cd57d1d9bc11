/** The Worker, with its wasm memories counted. */

import worker from '../../src/index.ts';
import { peaks, reset, sample } from './instrument.js';

/** @satisfies {ExportedHandler<import('../../src/config.ts').Env>} */
export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === '/bench/peaks') return Response.json(peaks());
    if (pathname === '/bench/reset') {
      reset();
      return new Response(null, { status: 204 });
    }
    sample();
    const response = await worker.fetch(request, env, context);
    sample();
    return response;
  },
};
