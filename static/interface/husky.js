/** How far a pupil may move, in units of the drawing. */
const REACH = 4;

/** CSS pixels from the pointer at which pupils reach that far. */
const FAR = 300;

/**
 * Makes the drawn husky's eyes follow the pointer, unless the visitor prefers reduced motion.
 *
 * @param {SVGElement} husky
 */
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
