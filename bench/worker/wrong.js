/** A Worker with a planted defect: now and then a score is wrong in its last digit. The soak has to notice. */
import worker from './faulty.js';

const EVERY = 40;

let scores = 0;

/** @satisfies {ExportedHandler<import('../../src/config.ts').Env>} */
export default {
  async fetch(request, env, context) {
    const response = await worker.fetch(request, env, context);
    if (response.status !== 200 || request.method !== 'POST') return response;
    const text = await response.text();
    scores++;
    const wrong = scores % EVERY === 0 ? text.replace(/"score":([\d.]+)/, wrongScore) : text;
    return new Response(wrong, response);
  },
};

/** @param {string} _ @param {string} score */
const wrongScore = (_, score) => `"score":${(Number(score) + 1e-6).toFixed(6)}`;
