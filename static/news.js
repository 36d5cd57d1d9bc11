/** What a screen reader says of what happens: the newest, and not more often than one can listen. */

/** Milliseconds between two announcements. */
const BREATH = 1500;

/**
 * @param {HTMLElement} region a live region
 * @returns {(text: string) => void}
 */
export function createNews(region) {
  let next = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  function speak() {
    region.textContent = next;
    next = '';
    resting = setTimeout(() => {
      resting = undefined;
      if (next) speak();
    }, BREATH);
  }

  return (text) => {
    next = text;
    if (!resting) speak();
  };
}
