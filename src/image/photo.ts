/** The formats that are accepted, told by their magic bytes. */
export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'webp';

/** An uploaded file whose magic bytes name its format; nothing else of it has been looked at. */
export interface Photo {
  readonly format: ImageFormat;
  readonly bytes: Uint8Array;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What the network wants: pixels of the square (or rectangle), and Pillow's name of the filter that makes it. */
export interface TensorSpec extends Size {
  readonly resampling: 'bicubic' | 'bilinear' | 'lanczos';
}

/** A photo made ready for the network. */
export interface ImageTensor {
  /** NHWC with N = 1: `height * width * 3` RGB values in [0, 1], float32. */
  readonly data: Float32Array;
  readonly format: ImageFormat;
  /** Size of the photo as it is looked at, in pixels: after its EXIF orientation. */
  readonly width: number;
  readonly height: number;
}

/** Decoded pixels, 8 bits a channel, in JavaScript's own memory; alpha is always 255. */
export interface Pixels extends Size {
  readonly rgba: Uint8Array;
}
