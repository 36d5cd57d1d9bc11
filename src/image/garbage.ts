/** Discarded bytes that may pile up before they are collected. */
const PATIENCE_BYTES = 8 * 1024 * 1024;

/** More than any address space has, so that asking for it always fails. */
const IMPOSSIBLE_BYTES = 2 ** 47;

let discardedBytes = 0;

/**
 * Says that wasm memory of this many bytes has been let go of, and sees to it that it is collected in time.
 *
 * V8 does not count wasm memory when it decides to collect garbage: thirty photos that each leave 40 MB behind would
 * add up to more than a gigabyte. But before it refuses memory for an ArrayBuffer it collects all garbage there is,
 * which takes some 20 ms. That is how the engine works today and no promise of it; if it ever stops, an
 * exception is caught for nothing and the garbage waits for the next ordinary collection.
 *
 * To be called when nothing on the stack holds the memory any more.
 */
export function discarded(bytes: number): void {
  discardedBytes += bytes;
  if (discardedBytes < PATIENCE_BYTES) return;
  discardedBytes = 0;
  try {
    new ArrayBuffer(IMPOSSIBLE_BYTES);
  } catch {
    // Expected.
  }
}
