/** The Worker, and a route that reports what its first answer consisted of. */
import './spans.js';
import worker from '../../src/index.ts';
import { begin, recorded } from './spans.js';

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === '/bench/spans') return Response.json(recorded());
    begin();
    return worker.fetch(request, env, context);
  },
};
