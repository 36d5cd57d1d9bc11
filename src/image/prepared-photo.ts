import { dropIdle, idleBytes, peakBytes, totalMilliseconds } from './budget.ts';
import type { Codec, Header, Pause, Size } from './codec.ts';
import { checkLimits, type DecodingLimits } from './limits.ts';
import { toUprightTensor, upright } from './orientation.ts';
import { resize } from './resize.ts';
import { reductionTarget, type Target } from './target.ts';

/** A file and the codec whose signature it starts with. */
export interface Photo {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
  /** All codecs: their idle memory can be dropped to make room. */
  readonly codecs: readonly Codec[];
}

export type { Target as TensorSpec } from './target.ts';

/** A photo ready for the network. Its size is the photo's in pixels, after its EXIF orientation is applied. */
export interface ImageTensor extends Size {
  /** NHWC with N = 1: `height * width * channels` values of the spec's size in [0, 1]. */
  readonly data: Float32Array;
  /** The codec's `format`. */
  readonly format: string;
}

/** A microtask would not do: it runs before any other request. */
const nextTurn: Pause = () => new Promise((resolve) => setTimeout(resolve));

/** A photo with a valid header and no pixel decoded yet. It knows how much time and memory decoding takes. */
export class PreparedPhoto {
  readonly #photo: Photo;
  readonly #header: Header;
  /** The spec in the orientation of the stored pixels. */
  readonly #target: Target;

  /** @throws {MalformedImage} the file is damaged, truncated or of an unsupported variant */
  constructor(photo: Photo, spec: Target) {
    this.#photo = photo;
    this.#header = photo.codec.readHeader(photo.bytes);
    this.#target = { ...spec, ...upright(spec, this.#header.orientation) };
  }

  /** Upper bound of the memory that `toTensor` takes at any moment, without the file itself and `heldBytes`. */
  get peakBytes(): number {
    return peakBytes(this.#photo.codec, this.#header, this.#target);
  }

  /** Upper bound of the CPU time that decoding takes on the benchmark machine. */
  get decodeMilliseconds(): number {
    return totalMilliseconds(this.#photo.codec, this.#header, this.#target);
  }

  /**
   * Makes sure that decoding stays within the limits.
   *
   * @param limits what is left for this photo; `bytes` without the file itself and `heldBytes`
   * @throws {ImageTooLarge} it does not fit or takes too long to decode
   */
  check({ bytes, milliseconds }: DecodingLimits): void {
    const { codec, codecs } = this.#photo;
    checkLimits(codec, this.#header, this.#target, { bytes: bytes + idleBytes(codecs), milliseconds });
  }

  /**
   * Does the same, and drops idle decoders if their memory is needed.
   *
   * @throws {ImageTooLarge} as `check`
   */
  makeRoom(limits: DecodingLimits): void {
    this.check(limits);
    if (this.peakBytes > limits.bytes) dropIdle(this.#photo.codecs);
  }

  /**
   * Decodes the photo, resizes it to the spec, and turns it upright. Resizing the whole photo or its centre commutes
   * with the EXIF orientations, so only the small result is turned.
   *
   * @param pause lets other requests run between pieces of work
   * @throws {MalformedImage} the pixels are damaged or truncated
   */
  async toTensor(pause: Pause = nextTurn): Promise<ImageTensor> {
    const { codec, bytes } = this.#photo;
    const header = this.#header;
    const target = this.#target;
    const reduced = await codec.decode(bytes, header, reductionTarget(codec, header, target), pause);
    const rgba = resize(reduced, target, target.resampling);
    return {
      data: toUprightTensor(rgba, target, header.orientation, target.color === 'L' ? 1 : 3),
      format: codec.format,
      ...upright(header, header.orientation),
    };
  }
}
