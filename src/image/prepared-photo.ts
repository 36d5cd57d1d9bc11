import { dropIdle, idleBytes, peakBytes, totalMilliseconds } from './budget.ts';
import type { Codec, Header, Pause, Pixels, Size } from './codec.ts';
import { toGrey } from './grey.ts';
import { checkLimits, type DecodingLimits } from './limits.ts';
import { isOnItsSide, toUprightTensor, upright } from './orientation.ts';
import { type ReductionTarget, reducedExtent } from './reducer.ts';
import { type Resampling, resample, resamplesColumnsFirst } from './resample.ts';
import { resize } from './resize.ts';
import { decodingSize, isResampled, scaleBox, type Target, targetBox } from './target.ts';

/** A file and the codec whose signature it starts with. */
export interface Photo {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
  /** All codecs: their idle memory can be dropped to make room. */
  readonly codecs: readonly Codec[];
}

/** The network's input, and the filter that scales a photo to it. */
export interface TensorSpec extends Target {
  readonly resampling: Resampling;
  /** One channel, or three; three by default. */
  readonly color?: 'RGB' | 'L';
}

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
  readonly #spec: TensorSpec;
  readonly #header: Header;
  /** The spec in the orientation of the stored pixels. */
  readonly #target: Target;

  /** @throws {MalformedImage} the file is damaged, truncated or of an unsupported variant */
  constructor(photo: Photo, spec: TensorSpec) {
    this.#photo = photo;
    this.#spec = spec;
    this.#header = photo.codec.readHeader(photo.bytes);
    this.#target = { ...upright(spec, this.#header.orientation), resize: spec.resize };
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
    const { orientation } = this.#header;
    const pixels = await codec.decode(bytes, this.#header, this.#decodingSize, pause);
    return {
      data: toUprightTensor(this.#resize(pixels), this.#target, orientation, this.#channels),
      format: codec.format,
      ...upright(this.#header, orientation),
    };
  }

  get #decodingSize(): ReductionTarget {
    return decodingSize(this.#photo.codec, this.#header, this.#target);
  }

  get #channels(): 1 | 3 {
    return this.#spec.color === 'L' ? 1 : 3;
  }

  /** Returns RGBA of the target's size. */
  #resize(pixels: Pixels): Uint8Array {
    const { resampling } = this.#spec;
    // Before resizing, as Pillow does: afterwards, clipped colours would have another grey.
    if (this.#channels === 1) toGrey(pixels.rgba);
    const { codec } = this.#photo;
    if (!isResampled(codec, this.#header, pixels, this.#target)) return resize(pixels, this.#target, resampling);
    const { orientation } = this.#header;
    const columnsFirst =
      resamplesColumnsFirst(upright(this.#header, orientation), this.#spec) !== isOnItsSide(orientation);
    const decoded = codec.decodedSize?.(this.#header, this.#decodingSize) ?? this.#header;
    const box = scaleBox(targetBox(this.#header, this.#target), this.#header, reducedExtent(decoded, pixels));
    return resample(pixels, box, this.#target, resampling, { columnsFirst, channels: this.#channels });
  }
}
