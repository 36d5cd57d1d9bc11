import { initPhoton, PhotonImage, resize as photonResize, SamplingFilter } from '@cf-wasm/photon/others';
import photonModule from '@cf-wasm/photon/photon.wasm';
import type { Pixels, Size } from './codec.ts';
import type { Resampling } from './weights.ts';

const { memory } = initPhoton.sync({ module: photonModule });

/** Photon's equivalents of Pillow's filters. The results differ by at most 1/255. */
const FILTERS: Record<Resampling, SamplingFilter> = {
  bicubic: SamplingFilter.CatmullRom,
  bilinear: SamplingFilter.Triangle,
  lanczos: SamplingFilter.Lanczos3,
};

/** Wasm memory in bytes that photon holds. It never shrinks. */
export function photonBytes(): number {
  return memory.buffer.byteLength;
}

/** Photon's memory before the first photo. */
const PHOTON_BASE_BYTES = 1_500_000;

/**
 * Size in bytes to which resizing grows photon's memory: two copies of the pixels, the half-resized picture in float32,
 * and a few copies of the result.
 */
export function photonBytesAfter(size: Size, target: Size): number {
  if (size.width === target.width && size.height === target.height) return photonBytes();
  const pixels = size.width * size.height;
  const half = size.width * target.height;
  return Math.max(photonBytes(), PHOTON_BASE_BYTES + 8 * pixels + 16 * half + 16 * target.width * target.height);
}

/**
 * Returns RGBA of exactly the target size, without keeping the aspect ratio. For models without `resize` in their
 * manifest; other photos have that size already.
 */
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
