/** The Worker as it is, with its wasm memories counted from the first one on. */
import './instrument.js';
import { createApp } from '../../src/app.ts';
import { configOf } from '../../src/config.ts';
import { createIsolate } from '../../src/isolate.ts';
import { peaks, reset, sample } from './instrument.js';

/** @type {import('../../src/isolate.ts').Isolate | undefined} */
let isolate;

/** The most bytes that were leased at once. */
let leased = 0;

/** @param {import('../../src/isolate.ts').Isolate} isolate */
function watched(isolate) {
  const { memory } = isolate;
  const lease = memory.lease.bind(memory);
  memory.lease = async (bytes, terms) => {
    const granted = await lease(bytes, terms);
    leased = Math.max(leased, memory.usedBytes);
    return granted;
  };
  return isolate;
}

const app = createApp((env) => {
  isolate ??= watched(createIsolate(configOf(env)));
  return isolate;
});

app.get('/bench/limits', (c) => c.json(configOf(c.env)));
app.get('/bench/peaks', (c) => c.json({ ...peaks(), leased }));
app.post('/bench/reset', (c) => {
  reset();
  leased = 0;
  return c.json({});
});

/** @satisfies {ExportedHandler<import('../../src/config.ts').Env>} */
export default {
  async fetch(request, env, context) {
    sample();
    const response = await app.fetch(request, env, context);
    sample();
    return response;
  },
};
