import { dropIdle, idleBytes, peakBytes } from './budget.ts';
import type { Codec, Header, Size } from './codec.ts';
import { checkLimits } from './limits.ts';
import { toUprightTensor, upright } from './orientation.ts';
import { type Resampling, resize } from './resize.ts';

/** A file and the codec whose signature it starts with. */
export interface Photo {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
  /** All codecs: their idle memory can be dropped to make room. */
  readonly codecs: readonly Codec[];
}

/** The size of the network's input, and the filter that scales a photo to it. */
export interface TensorSpec extends Size {
  readonly resampling: Resampling;
}

/** A photo ready for the network. Its size is the photo's in pixels, after its EXIF orientation is applied. */
export interface ImageTensor extends Size {
  /** NHWC with N = 1: `height * width * 3` RGB values of the spec's size in [0, 1]. */
  readonly data: Float32Array;
  /** The codec's `format`. */
  readonly format: string;
}

/** A photo with a valid header and no pixel decoded yet. It knows how much memory decoding takes. */
export class PreparedPhoto {
  readonly #photo: Photo;
  readonly #spec: TensorSpec;
  readonly #header: Header;
  /** The spec's size in the orientation of the stored pixels. */
  readonly #target: Size;

  /** @throws {MalformedImage} the file is damaged, truncated or of an unsupported variant */
  constructor(photo: Photo, spec: TensorSpec) {
    this.#photo = photo;
    this.#spec = spec;
    this.#header = photo.codec.readHeader(photo.bytes);
    this.#target = upright(spec, this.#header.orientation);
  }

  /** Upper bound of the memory that `toTensor` takes at any moment, without the file itself and `heldBytes`. */
  get peakBytes(): number {
    return peakBytes(this.#photo.codec, this.#header, this.#target);
  }

  /**
   * Makes sure that decoding fits into `availableBytes`, dropping idle decoders if necessary.
   *
   * @param availableBytes memory left for this photo, without the file itself and `heldBytes`
   * @throws {ImageTooLarge} it does not fit or takes too long to decode
   */
  makeRoom(availableBytes: number): void {
    const { codec, codecs } = this.#photo;
    checkLimits(codec, this.#header, this.#target, availableBytes + idleBytes(codecs));
    if (this.peakBytes > availableBytes) dropIdle(codecs);
  }

  /**
   * Decodes the photo, resizes it to the spec without keeping its aspect ratio, and turns it upright. Resizing to the
   * whole target commutes with the EXIF orientations, so only the small result is turned.
   *
   * @throws {MalformedImage} the pixels are damaged or truncated
   */
  async toTensor(): Promise<ImageTensor> {
    const { codec, bytes } = this.#photo;
    const { orientation } = this.#header;
    const pixels = await codec.decode(bytes, this.#header, this.#target);
    const rgba = resize(pixels, this.#target, this.#spec.resampling);
    return {
      data: toUprightTensor(rgba, this.#target, orientation),
      format: codec.format,
      ...upright(this.#header, orientation),
    };
  }
}
