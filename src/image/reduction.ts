import { boxedSize, boxingBytes, boxingNanoseconds, createBoxReducer } from './box-reducer.ts';
import type { ReductionTarget, Size } from './codec.ts';
import type { Reducer } from './reducer.ts';
import { createResampler, repeatingNanoseconds, resamplingBytes, resamplingNanoseconds } from './resampler.ts';

/** @param extent size of the picture in pixels; fractional if a decoder scaled it down and rounded up */
export function createReducer(extent: Size, target: ReductionTarget): Reducer {
  return target.plan ? createResampler(extent, target.plan) : createBoxReducer(extent, target);
}

/** The size of the reducer's result. */
export function reducedSize(extent: Size, target: ReductionTarget): Size {
  return target.plan?.target ?? boxedSize(extent, target);
}

/** Estimated nanoseconds for adding rows of `width` pixels each to the reducer. */
export function addingNanoseconds(rows: number, width: number, extent: Size, target: ReductionTarget): number {
  return target.plan
    ? resamplingNanoseconds(rows, width, extent, target.plan)
    : boxingNanoseconds(rows, width, boxedSize(extent, target));
}

/** Estimated nanoseconds for adding one row as each of `rows` rows. */
export function repeatedNanoseconds(rows: number, extent: Size, target: ReductionTarget): number {
  if (rows === 0) return 0;
  if (target.plan) return repeatingNanoseconds(extent, target.plan);
  const reduced = boxedSize(extent, target);
  return boxingNanoseconds(1, extent.width, reduced) + boxingNanoseconds(rows, 0, reduced);
}

/**
 * Memory in bytes that the reducer takes, including its result.
 *
 * @param band height of the part of the picture in which pixels arrive in any order
 */
export function reducingBytes(extent: Size, target: ReductionTarget, band: number): number {
  return target.plan ? resamplingBytes(extent, target.plan, band) : boxingBytes(extent, boxedSize(extent, target));
}
