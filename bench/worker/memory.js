/** The Worker, with its wasm memories and leases counted. */
import './instrument.js';
import worker from '../../src/index.ts';
import { PhotoMemory } from '../../src/memory.ts';
import { bytesInUse, outsideLeases, peaks, reset, sample } from './instrument.js';
import { currentStep, pauseSteps, resume } from './steps.js';

/** The most bytes leased at the same time, and the most together with the memories that no lease covers. */
let leased = 0;
let together = 0;

const { lease } = PhotoMemory.prototype;
PhotoMemory.prototype.lease = async function (...args) {
  const granted = await lease.apply(this, args);
  const count = () => {
    leased = Math.max(leased, this.usedBytes);
    together = Math.max(together, this.usedBytes + outsideLeases());
  };
  count();
  const { extend } = granted;
  granted.extend = async (...more) => {
    await extend.apply(granted, more);
    count();
  };
  return granted;
};

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request, env, context) {
    switch (new URL(request.url).pathname) {
      case '/bench/peaks':
        return Response.json({ ...peaks(), leased, together });
      case '/bench/reset':
        reset();
        leased = 0;
        together = 0;
        return new Response(null, { status: 204 });
      case '/bench/step':
        return Response.json({ step: currentStep(), wasm: bytesInUse() });
      case '/bench/pause':
      case '/bench/run':
        pauseSteps(request.url.endsWith('/pause'));
        return new Response(null, { status: 204 });
      case '/bench/resume':
        resume();
        return new Response(null, { status: 204 });
    }
    sample();
    const response = await worker.fetch(request, env, context);
    sample();
    return response;
  },
};
