import { dropIdle, heldBytes, idleBytes, peakBytes } from './budget.ts';
import { decode } from './decode.ts';
import { type Header, readHeader } from './header.ts';
import { checkLimits } from './limits.ts';
import { toUprightTensor, upright } from './orientation.ts';
import type { ImageTensor, Photo, Size, TensorSpec } from './photo.ts';
import { resize } from './resize.ts';

export { heldBytes };

/**
 * A photo whose header has been read and found sound, but none of whose pixels have been decoded: knows how much
 * memory that will take.
 */
export class PreparedPhoto {
  readonly #photo: Photo;
  readonly #spec: TensorSpec;
  readonly #header: Header;
  /** The network's input, lying as the stored pixels do. */
  readonly #target: Size;

  /** @throws {MalformedImage} the file is damaged, incomplete or of a kind that is not supported */
  constructor(photo: Photo, spec: TensorSpec) {
    this.#photo = photo;
    this.#spec = spec;
    this.#header = readHeader(photo);
    this.#target = upright(spec, this.#header.orientation);
  }

  /** The most bytes that `toTensor` takes at any moment, the file itself and `heldBytes()` apart. */
  get peakBytes(): number {
    return peakBytes(this.#header, this.#target);
  }

  /**
   * Sees to it that decoding fits into `availableBytes`; idle decoders let go of their memory if it must be.
   *
   * @throws {ImageTooLarge} it does not, or it would take too long whatever the memory
   */
  makeRoom(availableBytes: number): void {
    checkLimits(this.#header, this.#target, availableBytes + idleBytes());
    if (this.peakBytes > availableBytes) dropIdle();
  }

  /**
   * Decodes, squeezes to the network's input with Pillow's filter, and turns upright.
   *
   * Resizing to the whole target commutes with the EXIF orientations, so it is the small result that gets turned.
   *
   * @throws {MalformedImage} the pixels are damaged or incomplete
   */
  async toTensor(): Promise<ImageTensor> {
    const { width, height, orientation } = this.#header;
    const pixels = await decode(this.#photo.bytes, this.#header, this.#target);
    const rgba = resize(pixels, this.#target, this.#spec.resampling);
    return {
      data: toUprightTensor(rgba, this.#target, orientation),
      format: this.#photo.format,
      ...upright({ width, height }, orientation),
    };
  }
}

/**
 * A photo's bytes as the tensor that the network wants.
 *
 * @param availableBytes what the isolate has left for this photo now; the file itself and `heldBytes()` are
 *   already subtracted
 * @throws {MalformedImage} the file is damaged, incomplete or of a kind that is not supported
 * @throws {ImageTooLarge} decoding would take more than `availableBytes`
 */
export async function photoToTensor(
  photo: Photo,
  spec: TensorSpec,
  availableBytes: number,
): Promise<ImageTensor> {
  const prepared = new PreparedPhoto(photo, spec);
  prepared.makeRoom(availableBytes);
  return prepared.toTensor();
}
