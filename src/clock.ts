let latest = 0;
let setBack = 0;

/**
 * Milliseconds for measuring how long something has taken; they do not run backwards when the clock is set back, so
 * that nothing waits for a time that has passed already. A clock that is set forward cannot be told from one on which
 * nothing has happened for long. Workers have no clock of their own for this: `performance.now()` is `Date.now()`.
 */
export function now(): number {
  const time = Date.now();
  if (time + setBack < latest) setBack = latest - time;
  latest = time + setBack;
  return latest;
}
