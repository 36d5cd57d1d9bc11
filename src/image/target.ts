import type { Codec, Header, Size } from './codec.ts';
import type { ReductionTarget } from './reducer.ts';

/** The size of the network's input, and how a photo of another shape becomes it. */
export interface Target extends Size {
  /**
   * Squeezes the whole photo, or crops it at the centre first. Absent for models that were published before this choice
   * existed: they are squeezed, and large photos keep the arithmetic that their scores were measured with.
   */
  readonly resize?: 'squeeze' | 'fit' | undefined;
}

/** A part of a picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Pixels along each side of the target's part that a decoder leaves for resampling. With fewer, scores differ by more
 * than 0.005 from those of a photo that is resized in one step.
 */
const LEAST_PIXELS = 672;

/** A decoder leaves at least this many times the size that it is asked for. */
const DECODED_GAP = 2;

/** The part of a picture that becomes the target: all of it, or the largest centred part of the target's shape. */
export function targetBox({ width, height }: Size, target: Target): Box {
  const whole = { left: 0, top: 0, right: width, bottom: height };
  if (target.resize !== 'fit') return whole;
  // As in Pillow's ImageOps.fit.
  const ratio = target.width / target.height;
  if (width / height === ratio) return whole;
  if (width / height > ratio) {
    const left = (width - ratio * height) * 0.5;
    return { ...whole, left, right: left + ratio * height };
  }
  const top = (height - width / ratio) * 0.5;
  return { ...whole, top, bottom: top + width / ratio };
}

/** The same part of a picture that was scaled from one size to another. */
export function scaleBox({ left, top, right, bottom }: Box, from: Size, to: Size): Box {
  const across = to.width / from.width;
  const down = to.height / from.height;
  return { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
}

/**
 * Whether a photo is resampled as Pillow does: always if the manifest says how, otherwise if it is delicate, or so small
 * that nothing has reduced it. There the rounding of photon's filters would show most.
 *
 * @param reduced what the decoder and the reducer have left
 */
export function isResampled<H extends Header>(codec: Codec<H>, header: H, reduced: Size, target: Target): boolean {
  return isExact(codec, header, target) || isSameSize(header, reduced);
}

function isExact<H extends Header>(codec: Codec<H>, header: H, target: Target): boolean {
  return target.resize !== undefined || codec.isDelicate?.(header) === true;
}

export const isSameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** The size that a decoder is asked for, so that it leaves enough pixels of the part that becomes the target. */
export function decodingSize<H extends Header>(codec: Codec<H>, header: H, target: Target): ReductionTarget {
  if (!isExact(codec, header, target)) return target;
  const { left, top, right, bottom } = targetBox(header, target);
  const least = (codec.leastPixels?.(header) ?? LEAST_PIXELS) / DECODED_GAP;
  return {
    isExact: true,
    width: Math.ceil((Math.max(least, target.width) * header.width) / (right - left)),
    height: Math.ceil((Math.max(least, target.height) * header.height) / (bottom - top)),
  };
}
