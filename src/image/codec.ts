export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A value of EXIF's tag 274: how to turn the stored pixels upright. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The area of the canvas that an animation's first frame covers. */
export interface Frame extends Size {
  readonly x: number;
  readonly y: number;
}

/** What a file's header says before any pixel is decoded. Sizes are those of the stored pixels, before orientation. */
export interface Header extends Size {
  readonly orientation: Orientation;
  /** Present in formats with animations. */
  readonly frame?: Frame;
}

/** Decoded pixels, 8 bits per channel, in JavaScript memory. Alpha is always 255. */
export interface Pixels extends Size {
  readonly rgba: Uint8Array;
}

/** Lets other requests run. A decoder calls it after each piece of work, see `Pacer`. */
export type Pause = () => Promise<void>;

/** Memory that a decoder keeps for the next photo. */
export interface IdleMemory {
  readonly heldBytes: number;
  drop(): void;
}

/** Whether a photo with this header would be accepted. */
export type Fits = <H extends Header>(codec: Codec<H>, header: H) => boolean;

/**
 * An image format. Its folder holds everything that is specific to it, so adding a format takes one folder and one
 * line in `codecs.ts`.
 */
export interface Codec<H extends Header = Header> {
  /** Identifier in answers and logs, such as `webp`. */
  readonly format: string;
  /** Name in messages and documents, such as `WebP`. */
  readonly name: string;
  readonly mediaTypes: readonly string[];
  /** Wasm memory kept between photos, if any. */
  readonly idle?: IdleMemory;

  /** Whether a file starts with the format's signature. */
  matches(bytes: Uint8Array): boolean;

  /**
   * @throws {MalformedImage} the file is damaged or truncated
   * @throws {UnsupportedMediaType} the file is in a variant of the format that the decoder lacks
   */
  readHeader(bytes: Uint8Array): H;

  /** The variant's name in messages, such as "progressive JPEG"; `name` by default. */
  describe?(header: H): string;

  /**
   * Upper bound of the milliseconds of CPU time that decoding and reduction take on the benchmark machine, estimated
   * from the file's header and structure. `npm run bench -- decode` measures the coefficients.
   */
  decodeMilliseconds(header: H, target: Size): number;

  /** Upper bound of the memory in bytes that the decoder takes, without the file itself and the reducer. */
  decoderBytes(header: H, target: Size): number;

  /**
   * Size of the picture that the decoder passes to the reducer; the stored size by default. Fractional where a
   * decoder scales down and rounds up.
   */
  decodedSize?(header: H, target: Size): Size;

  /**
   * Pixels along each side to leave for exact resampling, if other than usual: a decoder's own reduction is less exact
   * than averaging, and memory may be short.
   */
  leastPixels?(header: H): number;

  /** Whether the photo is always resampled exactly, as if the manifest demanded it. */
  isDelicate?(header: H): boolean;

  /** Another way to save a photo that does not fit, such as "a baseline JPEG", if it would fit then. */
  alternative?(header: H, fits: Fits): string | undefined;

  /**
   * Decodes to RGB as Pillow's `convert("RGB")` does, reduced to less than four times the target on each side, but
   * to no less than twice the target where the photo is that large.
   *
   * @param pause called regularly where the decoder can be interrupted; a call into wasm cannot
   * @throws {MalformedImage} the pixels are damaged or truncated
   */
  decode(bytes: Uint8Array, header: H, target: Size, pause: Pause): Pixels | Promise<Pixels>;
}

/** The codec whose signature the file starts with. */
export function findCodec(codecs: readonly Codec[], bytes: Uint8Array): Codec | undefined {
  return codecs.find((codec) => codec.matches(bytes));
}
