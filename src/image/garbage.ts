/** Garbage allowed to accumulate before a collection is forced. */
const ALLOWED_BYTES = 8 * 1024 * 1024;

/** More than any address space holds, so allocating it always fails. */
const IMPOSSIBLE_BYTES = 2 ** 47;

let garbageBytes = 0;

/**
 * Counts wasm memory that has become garbage and forces a collection when there is too much of it. Call it when
 * nothing on the stack references the memory.
 *
 * V8 ignores wasm memory when it schedules collections: thirty photos that each leave 40 MB would add up to more than
 * a gigabyte. However, V8 collects all garbage (in about 20 ms) before it rejects an ArrayBuffer allocation. This is
 * undocumented; should it change, the garbage waits for the next ordinary collection.
 */
export function countGarbage(bytes: number): void {
  garbageBytes += bytes;
  if (garbageBytes < ALLOWED_BYTES) return;
  garbageBytes = 0;
  try {
    new ArrayBuffer(IMPOSSIBLE_BYTES);
  } catch {
    // Expected.
  }
}
