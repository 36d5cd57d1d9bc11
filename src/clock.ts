let latest = 0;
let setBack = 0;

/**
 * Milliseconds for measuring durations. They never run backwards when the system clock is set back, so a deadline
 * cannot move away. A clock that is set forward cannot be told from a long pause. Workers have no monotonic clock:
 * `performance.now()` follows `Date.now()`.
 */
export function now(): number {
  const time = Date.now();
  if (time + setBack < latest) setBack = latest - time;
  latest = time + setBack;
  return latest;
}
