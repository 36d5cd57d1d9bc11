import { checkBudget } from './budget.ts';
import { decode } from './decode.ts';
import { readHeader } from './header.ts';
import { jpegDecoder } from './jpeg/decode.ts';
import { toUprightTensor, upright } from './orientation.ts';
import type { ImageTensor, Photo, TensorSpec } from './photo.ts';
import { photonBytes, resize } from './resize.ts';
import { webpDecoder } from './webp/decode.ts';

/**
 * Decodes a photo, squeezes it to the network's input with Pillow's filter, and turns it upright.
 *
 * Resizing to the whole target commutes with the EXIF orientations, so it is the small result that gets turned.
 *
 * @param availableBytes what the isolate has left for this photo now; the file itself and `heldBytes()` are
 *   already subtracted
 * @throws MalformedImage when the file is damaged, incomplete or of a kind that is not supported
 * @throws ImageTooLarge when decoding it would take more than `availableBytes`
 */
export async function photoToTensor(
  photo: Photo,
  spec: TensorSpec,
  availableBytes: number,
): Promise<ImageTensor> {
  const header = readHeader(photo);
  const target = upright(spec, header.orientation);
  checkBudget(header, target, availableBytes);
  const pixels = await decode(photo.bytes, header, target);
  const rgba = resize(pixels, target, spec.resampling);
  return {
    data: toUprightTensor(rgba, target, header.orientation),
    format: photo.format,
    ...upright({ width: header.width, height: header.height }, header.orientation),
  };
}

/** Bytes of wasm memory that photon and the idle decoders hold between photos. */
export function heldBytes(): number {
  return photonBytes() + jpegDecoder.heldBytes + webpDecoder.heldBytes;
}
