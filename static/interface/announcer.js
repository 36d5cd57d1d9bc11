/** Milliseconds between two announcements. */
const PAUSE_MS = 1500;

/**
 * Creates a function that announces text to screen readers: the newest only, and not too often to listen to.
 *
 * @param {HTMLElement} region a live region
 * @returns {(text: string) => void}
 */
export function createAnnouncer(region) {
  let next = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;

  function announce() {
    region.textContent = next;
    next = '';
    pause = setTimeout(() => {
      pause = undefined;
      if (next) announce();
    }, PAUSE_MS);
  }

  return (text) => {
    next = text;
    if (!pause) announce();
  };
}
