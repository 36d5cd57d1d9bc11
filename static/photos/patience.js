import { ApiProblem } from '../client/problem.js';

const MAX_TRIES = 6;
const MAX_WAIT_SECONDS = 120;
const SECOND = 1000;

const TEMPORARY = new Set(['rate_limited', 'overloaded']);

/** @typedef {ReturnType<typeof createPatience>} Patience */

/**
 * Creates a sender that waits as long as `Retry-After` asks, then tries again. All photos share one wait, since they
 * share the service's limit.
 *
 * @param {(left: number) => void} onTick receives the seconds left, once a second, and 0 at the end
 */
export function createPatience(onTick) {
  let end = 0;
  /** @type {Promise<void> | undefined} */
  let wait;

  /** @param {() => void} resolve */
  function tick(resolve) {
    const left = Math.max(0, Math.ceil((end - performance.now()) / SECOND));
    onTick(left);
    if (left > 0) setTimeout(tick, SECOND, resolve);
    else {
      wait = undefined;
      resolve();
    }
  }

  /** @param {number} seconds */
  function extendWait(seconds) {
    end = Math.max(end, performance.now() + seconds * SECOND);
    wait ??= new Promise(tick);
  }

  return {
    /**
     * Sends one photo until it gets an answer.
     *
     * @template T
     * @param {() => Promise<T>} send
     * @param {() => void} onWait
     * @returns {Promise<T>} rejects with the last rejection of `send`
     */
    async send(send, onWait) {
      for (let tries = 1; ; tries++) {
        while (wait) await wait;
        try {
          return await send();
        } catch (reason) {
          const seconds = reason instanceof ApiProblem && TEMPORARY.has(reason.code) && reason.retryAfter;
          if (!seconds || seconds > MAX_WAIT_SECONDS || tries === MAX_TRIES) throw reason;
          extendWait(seconds);
          onWait();
        }
      }
    },
  };
}
