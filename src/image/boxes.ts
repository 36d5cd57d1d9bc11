/** Divides the pixels of an axis into boxes: pixel `i` adds `first[i]` of itself to box `box[i]` and `rest[i]` to the next. */
export interface Boxes {
  readonly count: number;
  /** Pixels per box. */
  readonly span: number;
  readonly box: Uint16Array;
  readonly first: Float32Array;
  readonly rest: Float32Array;
}

/** Number of boxes an axis is reduced to: `2 * target` to `4 * target`, or one per pixel if there are fewer. */
export function reducedLength(extent: number, target: number): number {
  const factor = Math.max(1, Math.floor(extent / (2 * target)));
  return Math.max(1, Math.floor(extent / factor));
}

/** @param extent pixels along the axis; fractional if the last one is only part of a pixel */
export function boxesAlong(extent: number, target: number): Boxes {
  const length = Math.ceil(extent);
  const count = reducedLength(extent, target);
  const span = extent / count;
  const box = new Uint16Array(length);
  const first = new Float32Array(length);
  const rest = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.min(Math.floor(i / span), count - 1);
    const border = (at + 1) * span;
    box[i] = at;
    first[i] = Math.max(0, Math.min(extent, i + 1, border) - i);
    rest[i] = at === count - 1 ? 0 : Math.max(0, i + 1 - border);
  }
  return { count, span, box, first, rest };
}
