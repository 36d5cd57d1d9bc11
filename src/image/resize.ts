import { initPhoton, PhotonImage, resize as photonResize, SamplingFilter } from '@cf-wasm/photon/others';
import photonModule from '@cf-wasm/photon/photon.wasm';
import type { Pixels, Size, TensorSpec } from './photo.ts';

const { memory } = initPhoton.sync({ module: photonModule });

/** Photon's names for Pillow's filters; the results agree within 1/255. */
const FILTERS: Record<TensorSpec['resampling'], SamplingFilter> = {
  bicubic: SamplingFilter.CatmullRom,
  bilinear: SamplingFilter.Triangle,
  lanczos: SamplingFilter.Lanczos3,
};

/** Bytes of wasm memory that photon holds; it never gives any back. */
export function photonBytes(): number {
  return memory.buffer.byteLength;
}

/** RGBA of exactly the target size, without keeping the aspect. */
export function resize(pixels: Pixels, target: Size, resampling: TensorSpec['resampling']): Uint8Array {
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
