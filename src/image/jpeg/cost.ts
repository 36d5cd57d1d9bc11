import type { ReductionTarget } from '../codec.ts';
import { addingNanoseconds } from '../reduction.ts';
import type { JpegHeader, JpegScan } from './header.ts';
import { decodedSize, jpegReduction, neededBytes, neededScans, scaledSize } from './reduction.ts';

/** Nanoseconds on the benchmark machine; `npm run bench -- decode` measures them. */
const COST = {
  /** Each byte of entropy-coded data. */
  byte: 20,
  /** The same in a progressive file, where a bit may be all that a scan has for a coefficient. */
  progressiveByte: 40,
  /** Each block of 64 coefficients in each scan. */
  block: 25,
  /** Each block of a buffered file, which is stored, read again and smoothed. */
  bufferedBlock: 250,
  /** Each decoded pixel: transform, upsampling and colour, also of CMYK, which JavaScript converts. */
  pixel: 35,
  segment: 150,
} as const;

/** Upper bound of the milliseconds that decoding and reduction take on the benchmark machine. */
export function decodeMilliseconds(header: JpegHeader, target: ReductionTarget): number {
  const reduction = jpegReduction(header, target);
  const { width, height } = scaledSize(header, reduction);
  const scans = neededScans(header, reduction);
  const inScans = scans.reduce((sum, scan) => sum + scannedBlocks(header, scan), 0);
  const nanoseconds =
    neededBytes(header, reduction) * (header.progressive ? COST.progressiveByte : COST.byte) +
    inScans * COST.block +
    (header.buffered ? countBlocks(header) * COST.bufferedBlock : 0) +
    width * height * COST.pixel +
    header.segments * COST.segment +
    addingNanoseconds(height, width, decodedSize(header, target), target);
  return nanoseconds / 1e6;
}

/** Every component consists of blocks of 8 x 8 coefficients, rounded up to whole units (T.81, A.2). */
export function countBlocks({
  width,
  height,
  components,
}: Pick<JpegHeader, 'width' | 'height' | 'components'>): number {
  const maxHorizontal = Math.max(...components.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...components.map(({ vertical }) => vertical));
  const units = Math.ceil(width / (8 * maxHorizontal)) * Math.ceil(height / (8 * maxVertical));
  return units * components.reduce((sum, { horizontal, vertical }) => sum + horizontal * vertical, 0);
}

/** Blocks that a scan walks, at most: those of its components, if these are the largest. */
function scannedBlocks(header: JpegHeader, scan: JpegScan): number {
  const areas = header.components.map(({ horizontal, vertical }) => horizontal * vertical).toSorted((a, b) => b - a);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return (countBlocks(header) * sum(areas.slice(0, scan.components))) / sum(areas);
}
