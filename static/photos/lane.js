/**
 * Creates a lane in which a few tasks run at a time, in order of arrival.
 *
 * @param {number} width how many tasks run at a time
 * @returns {<T>(task: () => Promise<T>, signal: AbortSignal) => Promise<T>} runs a task when its turn comes; rejects
 *   with the signal's reason if the signal aborts first
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
      // Hand the place over directly, so that no task arriving in between takes it too.
      const next = waiting.shift();
      if (next) next(undefined);
      else free++;
    }
  };
}
