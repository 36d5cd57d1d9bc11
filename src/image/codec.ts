import type { Resampling } from './weights.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of a picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** How to resample a picture as Pillow does. All sizes are those of the stored pixels, before orientation. */
export interface ResamplingPlan {
  readonly photo: Size;
  /** The part of the photo that becomes the target; fractions allowed. */
  readonly box: Box;
  readonly target: Size;
  readonly resampling: Resampling;
  /** Whether the first pass is the vertical one. */
  readonly columnsFirst: boolean;
  /** One for grey, three for colour. */
  readonly channels: 1 | 3;
}

/** What a decoder's rows become. A decoder that can scale down leaves at least twice this size. */
export interface ReductionTarget extends Size {
  /** Resample the rows as they arrive. Without a plan, boxes of pixels are averaged to two to four times the size. */
  readonly plan?: ResamplingPlan;
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
  decodeMilliseconds(header: H, target: ReductionTarget): number;

  /** Upper bound of the memory in bytes that the decoder takes, without the file itself and the reducer. */
  decoderBytes(header: H, target: Size): number;

  /**
   * Size of the picture that the decoder passes to the reducer; the stored size by default. Fractional where a
   * decoder scales down and rounds up.
   */
  decodedSize?(header: H, target: Size): Size;

  /**
   * Pixels along each side of the target's part that the decoder's own scaling leaves for resampling: it is less exact,
   * but saves time and memory.
   */
  leastPixels?(header: H): number;

  /**
   * Height of the part of the picture in which the pixels arrive in any order, such as that of a tile. By default, whole
   * rows arrive from top to bottom.
   */
  bandHeight?(header: H): number;

  /** Whether the photo is always resampled as Pillow does, as if the manifest demanded it. */
  isDelicate?(header: H): boolean;

  /** Another way to save a photo that does not fit, such as "a baseline JPEG", if it would fit then. */
  alternative?(header: H, fits: Fits): string | undefined;

  /**
   * Decodes to RGB as Pillow's `convert("RGB")` does, and reduces the rows: see `ReductionTarget`.
   *
   * @param pause called regularly where the decoder can be interrupted; a call into wasm cannot
   * @throws {MalformedImage} the pixels are damaged or truncated
   */
  decode(bytes: Uint8Array, header: H, target: ReductionTarget, pause: Pause): Pixels | Promise<Pixels>;
}

/** The codec whose signature the file starts with. */
export function findCodec(codecs: readonly Codec[], bytes: Uint8Array): Codec | undefined {
  return codecs.find((codec) => codec.matches(bytes));
}
