/** One photo to the API, with the patience that the service asks for. */

import { ApiProblem } from './problem.js';

/** How often a photo is sent at most, and how long a wait is sat out (seconds). */
const MOST_TRIES = 6;
const LONGEST_WAIT = 120;

const PASSING = new Set(['rate_limited', 'overloaded']);

/**
 * Sends until there is an answer, waiting whenever the service asks for it by `Retry-After`.
 *
 * @template T
 * @param {() => Promise<T>} send
 * @param {ReturnType<typeof import('./pause.js').createPause>} pause
 * @param {() => void} onWait the photo waits
 * @returns {Promise<T>} rejects with what `send` last rejected with
 */
export async function sendPatiently(send, pause, onWait) {
  for (let tries = 1; ; tries++) {
    await pause.passed();
    try {
      return await send();
    } catch (reason) {
      if (!(reason instanceof ApiProblem) || !PASSING.has(reason.code)) throw reason;
      const { retryAfter } = reason;
      if (retryAfter === undefined || retryAfter > LONGEST_WAIT || tries === MOST_TRIES) throw reason;
      pause.begin(retryAfter);
      onWait();
    }
  }
}
