import { elementCount, storedBytes, type WeightTensor } from './manifest.ts';

/** The bytes of all tensors as float32. */
export const widenedBytes = (tensors: readonly WeightTensor[]): number =>
  4 * tensors.reduce((sum, tensor) => sum + elementCount(tensor), 0);

/**
 * Room for the content of weights.bin: the end of a buffer in which it can be widened.
 *
 * @param bytes the size of weights.bin
 */
export function allocateWeights(tensors: readonly WeightTensor[], bytes: number): Uint8Array<ArrayBuffer> {
  const size = widenedBytes(tensors);
  return new Uint8Array(new ArrayBuffer(size), size - bytes);
}

/** Widens the tensors of which all bytes have arrived. */
export type Widen = (buffer: ArrayBuffer, arrivedBytes: number) => void;

/**
 * Turns the content of weights.bin, at the end of a buffer, into float32 from the buffer's beginning. No tensor grows
 * past the place that it was read from. Every number must be finite.
 */
export function createWidener(tensors: readonly WeightTensor[]): Widen {
  const bytes = tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0);
  const start = widenedBytes(tensors) - bytes;
  let [next, to] = [0, 0];
  return (buffer, arrivedBytes) => {
    for (let tensor = tensors[next]; tensor; tensor = tensors[++next]) {
      if (tensor.offset + storedBytes(tensor) > arrivedBytes) return;
      const [from, count] = [start + tensor.offset, elementCount(tensor)];
      if (tensor.dtype === 'float16') widenTensor(new Uint16Array(buffer, from, count), buffer, to);
      else new Uint8Array(buffer).copyWithin(to, from, from + 4 * count);
      to += 4 * count;
    }
  };
}

/** The tensors of weights.bin as float32, one after the other, from its content. */
export function widenWeights(tensors: readonly WeightTensor[], stored: Uint8Array): Uint8Array<ArrayBuffer> {
  const room = allocateWeights(tensors, stored.byteLength);
  room.set(stored);
  createWidener(tensors)(room.buffer, stored.byteLength);
  return new Uint8Array(room.buffer);
}

/** A float16's exponent bias is 15, a float32's 127. */
const REBIAS = 2 ** (127 - 15);

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
