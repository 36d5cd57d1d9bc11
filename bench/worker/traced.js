/**
 * The Worker, and a route that reports what its first answer consisted of. With the variable `SELF_TEST`, all probes run before
 * the first answer, as in release 0.1.
 */
import './spans.js';
import worker from '../../src/index.ts';
import { begin, recorded } from './spans.js';

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === '/bench/spans') return Response.json(recorded());
    begin();
    if ('SELF_TEST' in env) await worker.fetch(new Request(new URL('/api/health', request.url)), env, context);
    return worker.fetch(request, env, context);
  },
};
