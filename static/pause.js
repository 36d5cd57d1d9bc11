/** The wait that the service has asked for: one for all photos, since they share what they are limited by. */

const SECOND = 1000;

/**
 * @param {(left: number) => void} onTick called with the seconds that are left, once a second; at last with 0
 */
export function createPause(onTick) {
  let end = 0;
  /** @type {Promise<void> | undefined} */
  let over;

  /** @param {() => void} resolve */
  function tick(resolve) {
    const left = Math.max(0, Math.ceil((end - performance.now()) / SECOND));
    onTick(left);
    if (left > 0) setTimeout(tick, SECOND, resolve);
    else {
      over = undefined;
      resolve();
    }
  }

  return {
    /**
     * @param {number} seconds
     */
    begin(seconds) {
      end = Math.max(end, performance.now() + seconds * SECOND);
      over ??= new Promise(tick);
    },

    /** Resolves when no wait is asked for any more. */
    async passed() {
      while (over) await over;
    },
  };
}
