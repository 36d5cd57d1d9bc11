/** Tasks that run a few at a time, in the order in which they came. */

/**
 * @param {number} width how many at a time
 * @returns {<T>(task: () => Promise<T>, signal: AbortSignal) => Promise<T>} runs a task when its turn has come;
 *   rejects with the signal's reason where that was aborted before
 */
export function createLane(width) {
  let free = width;
  /** @type {((value: unknown) => void)[]} */
  const waiting = [];

  return async (task, signal) => {
    if (free > 0) free--;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await task();
    } finally {
      // The place is handed over, so that nobody who comes in between takes it as well.
      const next = waiting.shift();
      if (next) next(undefined);
      else free++;
    }
  };
}
