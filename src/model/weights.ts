import { elementCount, storedBytes, type WeightTensor } from './manifest.ts';

/** The bytes of all tensors as float32. */
export const widenedBytes = (tensors: readonly WeightTensor[]): number =>
  4 * tensors.reduce((sum, tensor) => sum + elementCount(tensor), 0);

/**
 * Room for the content of weights.bin, as the end of a buffer in which `widenWeights` needs no second one.
 *
 * @param bytes the size of weights.bin
 */
export function allocateWeights(tensors: readonly WeightTensor[], bytes: number): Uint8Array<ArrayBuffer> {
  const size = Math.max(widenedBytes(tensors), bytes);
  return new Uint8Array(new ArrayBuffer(size), size - bytes);
}

/** A float16's exponent bias is 15, a float32's 127. */
const REBIAS = 2 ** (127 - 15);

/**
 * The tensors of weights.bin as float32, one after the other. Overwrites `stored` if it comes from `allocateWeights`:
 * no tensor grows past the place that it was read from.
 *
 * @param stored the content of weights.bin; every number is finite
 */
export function widenWeights(
  tensors: readonly WeightTensor[],
  stored: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const size = widenedBytes(tensors);
  let { buffer } = stored;
  let from = size - stored.byteLength;
  if (buffer.byteLength !== size || stored.byteOffset !== from) {
    buffer = new ArrayBuffer(size);
    new Uint8Array(buffer).set(stored, from);
  }
  let to = 0;
  for (const tensor of tensors) {
    const count = elementCount(tensor);
    if (tensor.dtype === 'float16') widenTensor(new Uint16Array(buffer, from, count), buffer, to);
    else new Uint8Array(buffer).copyWithin(to, from, from + 4 * count);
    from += storedBytes(tensor);
    to += 4 * count;
  }
  return new Uint8Array(buffer);
}

/** Moves sign, exponent and fraction to their places in a float32. The product is exact, even for subnormal numbers. */
function widenTensor(halves: Uint16Array, buffer: ArrayBuffer, to: number): void {
  const words = new Uint32Array(buffer, to, halves.length);
  const floats = new Float32Array(buffer, to, halves.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i] ?? 0;
    words[i] = ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13);
    floats[i] = (floats[i] ?? 0) * REBIAS;
  }
}
