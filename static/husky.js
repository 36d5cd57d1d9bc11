/** The drawn husky: its mood follows what happens to the photo, its eyes follow the pointer. */

/** How far a pupil may wander, in units of the drawing. */
const REACH = 4;

/** Pupils are at full reach once the pointer is this far off (CSS pixels). */
const FAR = 300;

/**
 * @param {SVGElement} husky
 * @param {'idle' | 'alert' | 'looking' | 'yes' | 'no' | 'other' | 'problem'} mood
 */
export function setMood(husky, mood) {
  husky.dataset.mood = mood;
}

/** @param {SVGElement} husky */
export function followPointer(husky) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  let frame = 0;

  /** @param {MouseEvent} event */
  function follow({ clientX, clientY }) {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const box = husky.getBoundingClientRect();
      const x = clientX - (box.left + box.width / 2);
      const y = clientY - (box.top + box.height / 2);
      const pull = REACH / Math.max(Math.hypot(x, y), FAR);
      husky.style.setProperty('--gaze-x', `${x * pull}px`);
      husky.style.setProperty('--gaze-y', `${y * pull}px`);
    });
  }

  addEventListener('pointermove', follow, { passive: true });
  addEventListener('dragover', follow, { passive: true });
}
