import { isSameSize } from './box-reducer.ts';
import type { Box, Codec, Header, ReductionTarget, ResamplingPlan, Size } from './codec.ts';
import { isOnItsSide, upright } from './orientation.ts';
import { resamplesColumnsFirst, resamplingBytes } from './resampler.ts';
import type { Resampling } from './weights.ts';

/** The network's input, and how a photo of another shape becomes it. */
export interface Target extends Size {
  /**
   * Squeezes the whole photo, or crops it at the centre first. Absent for models that were published before this choice
   * existed: they are squeezed, and JPEGs that their decoder scales keep the arithmetic that scores were measured with.
   */
  readonly resize?: 'squeeze' | 'fit' | undefined;
  readonly resampling: Resampling;
  /** One channel, or three; three by default. */
  readonly color?: 'RGB' | 'L';
}

/** A decoder leaves at least this many times the size that it is asked for. */
const DECODED_GAP = 2;

/** Memory that keeping Pillow's order of passes may take. The other order differs by at most 1/255. */
const ORDER_BYTES = 12_000_000;

/** The part of a picture that becomes the target: all of it, or the largest centred part of the target's shape. */
function targetBox({ width, height }: Size, target: Target): Box {
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

/** What a decoder makes of a photo. The target is in the orientation of the stored pixels. */
export function reductionTarget<H extends Header>(codec: Codec<H>, header: H, target: Target): ReductionTarget {
  const { width, height } = target;
  if (!isResampled(codec, header, target)) return { width, height };
  const box = targetBox(header, target);
  const least = (codec.leastPixels?.(header) ?? 0) / DECODED_GAP;
  const size = {
    width: Math.ceil((Math.max(least, width) * header.width) / (box.right - box.left)),
    height: Math.ceil((Math.max(least, height) * header.height) / (box.bottom - box.top)),
  };
  return { ...size, plan: createPlan(codec, header, target, box, codec.decodedSize?.(header, size) ?? header) };
}

/**
 * Whether a photo is resampled as Pillow does: always if the manifest says how, otherwise if it is delicate, or if its
 * decoder does not scale it down. Averaging boxes of its own pixels would shift dithered greys by several 1/255.
 */
function isResampled<H extends Header>(codec: Codec<H>, header: H, target: Target): boolean {
  if (target.resize !== undefined || target.color === 'L' || codec.isDelicate?.(header)) return true;
  return isSameSize(header, codec.decodedSize?.(header, target) ?? header);
}

function createPlan<H extends Header>(
  codec: Codec<H>,
  header: H,
  target: Target,
  box: Box,
  decoded: Size,
): ResamplingPlan {
  const { width, height, orientation } = header;
  const size = { width: target.width, height: target.height };
  const columnsFirst =
    resamplesColumnsFirst(upright(header, orientation), upright(size, orientation)) !== isOnItsSide(orientation);
  const { resampling, color } = target;
  const plan = {
    photo: { width, height },
    box,
    target: size,
    resampling,
    columnsFirst,
    channels: color === 'L' ? 1 : 3,
  } as const;
  const other = { ...plan, columnsFirst: !columnsFirst };
  const band = codec.bandHeight?.(header) ?? 1;
  const bytes = resamplingBytes(decoded, plan, band);
  return bytes > ORDER_BYTES && resamplingBytes(decoded, other, band) < bytes ? other : plan;
}
