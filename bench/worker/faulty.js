/** The Worker as it is, between a clock and a bucket that can be put wrong, with its memories and log lines counted. */
import { setSkew } from './clock.js';
import { faultyBucket, setFaults } from './faulty-bucket.js';
import { logged } from './logged.js';
import worker from './memory.js';

/** @typedef {import('../../src/config.ts').Env} Env */

/** The settings are parsed once for each `env`, so it has to stay the same one. @type {Env | undefined} */
let bound;

/** @satisfies {ExportedHandler<Env>} */
export default {
  async fetch(request, env, context) {
    bound ??= { ...env, MODELS: faultyBucket(env.MODELS) };
    switch (new URL(request.url).pathname) {
      case '/bench/logged':
        return Response.json(logged());
      case '/bench/faults':
        setFaults(await request.json());
        return new Response(null, { status: 204 });
      case '/bench/clock':
        setSkew(Number(await request.text()));
        return new Response(null, { status: 204 });
      default:
        return worker.fetch(request, bound, context);
    }
  },
};
