import { ImageTooLarge } from '../errors.ts';
import { peakBytes, totalMilliseconds } from './budget.ts';
import type { Codec, Fits, Header, Size } from './codec.ts';
import type { Target } from './target.ts';

/** What decoding one photo may take. */
export interface DecodingLimits {
  readonly bytes: number;
  /** CPU time on the benchmark machine. */
  readonly milliseconds: number;
}

/**
 * Refuses a photo that takes longer or more memory to decode than allowed.
 *
 * @throws {ImageTooLarge} its message says what would fit
 */
export function checkLimits<H extends Header>(
  codec: Codec<H>,
  header: H,
  target: Target,
  limits: DecodingLimits,
): void {
  const isFast: Fits = (format, candidate) => totalMilliseconds(format, candidate, target) <= limits.milliseconds;
  const fits: Fits = (format, candidate) =>
    isFast(format, candidate) && peakBytes(format, candidate, target) <= limits.bytes;
  if (fits(codec, header)) return;
  const has = `This ${codec.describe?.(header) ?? codec.name} has ${megapixels(header)} megapixels`;
  throw new ImageTooLarge(`${has}${explain(codec, header, fits, isFast)}`);
}

function explain<H extends Header>(codec: Codec<H>, header: H, fits: Fits, isFast: Fits): string {
  const limit = largestThatFits(header, (candidate) => fits(codec, candidate));
  const alternative = codec.alternative?.(header, fits);
  const advice = alternative ? ` Saved as ${alternative}, this photo would fit.` : '';
  if (limit) return `; up to ${megapixels(limit)} would fit.${advice}`;
  return isFast(codec, scaled(header, 0))
    ? ` and needs more memory than is free.${advice}`
    : ' in too many pieces. Opened and saved again, it would decode faster.';
}

/** The same photo scaled down until it fits, to within a thousandth of its sides. */
function largestThatFits<H extends Header>(header: H, fits: (candidate: H) => boolean): Size | undefined {
  let low = 0;
  let high = 1000;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(scaled(header, middle / 1000))) low = middle;
    else high = middle;
  }
  return low === 0 ? undefined : scaled(header, low / 1000);
}

function scaled<H extends Header>(header: H, factor: number): H {
  const scale = ({ width, height }: Size): Size => ({
    width: Math.max(1, Math.floor(width * factor)),
    height: Math.max(1, Math.floor(height * factor)),
  });
  const { frame } = header;
  return { ...header, ...scale(header), ...(frame && { frame: { ...frame, ...scale(frame) } }) };
}

/** In millions, to one decimal, rounded down. */
function megapixels({ width, height }: Size): string {
  return (Math.floor((width * height) / 100_000) / 10).toFixed(1);
}
