/** The size classes of photos, in megapixels: too coarse to identify a photo. */
export const SIZE_CLASSES = ['<=1', '1-4', '4-12', '12-24', '24-50', '>50'] as const;
export type SizeClass = (typeof SIZE_CLASSES)[number];

/** The largest photo of each class but the last, in megapixels. */
const LIMITS = [1, 4, 12, 24, 50];

export function toSizeClass(pixels: number): SizeClass {
  const index = LIMITS.findIndex((limit) => pixels <= limit * 1e6);
  return SIZE_CLASSES[index] ?? '>50';
}
