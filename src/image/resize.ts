import { initPhoton, PhotonImage, resize as photonResize, SamplingFilter } from '@cf-wasm/photon/others';
import photonModule from '@cf-wasm/photon/photon.wasm';
import type { Pixels, Size } from './codec.ts';

const { memory } = initPhoton.sync({ module: photonModule });

/** Filters by Pillow's names. */
export type Resampling = 'bicubic' | 'bilinear' | 'lanczos';

/** Photon's names for Pillow's filters; the results agree within 1/255. */
const FILTERS: Record<Resampling, SamplingFilter> = {
  bicubic: SamplingFilter.CatmullRom,
  bilinear: SamplingFilter.Triangle,
  lanczos: SamplingFilter.Lanczos3,
};

/** Bytes of wasm memory that photon holds; it never gives any back. */
export function photonBytes(): number {
  return memory.buffer.byteLength;
}

/** What photon holds before its first photo. */
const PHOTON_BASE_BYTES = 1_500_000;

/**
 * Bytes that photon's memory will have grown to after resizing: two copies of the pixels, the half-resized picture
 * in float32, and a few copies of the result.
 */
export function photonBytesAfter(size: Size, target: Size): number {
  if (size.width === target.width && size.height === target.height) return photonBytes();
  const pixels = size.width * size.height;
  const half = size.width * target.height;
  return Math.max(
    photonBytes(),
    PHOTON_BASE_BYTES + 8 * pixels + 16 * half + 16 * target.width * target.height,
  );
}

/** RGBA of exactly the target size, without keeping the aspect. */
export function resize(pixels: Pixels, target: Size, resampling: Resampling): Uint8Array {
  if (pixels.width === target.width && pixels.height === target.height) return pixels.rgba;
  const image = new PhotonImage(pixels.rgba, pixels.width, pixels.height);
  try {
    const resized = photonResize(image, target.width, target.height, FILTERS[resampling]);
    try {
      return resized.get_raw_pixels();
    } finally {
      resized.free();
    }
  } finally {
    image.free();
  }
}
