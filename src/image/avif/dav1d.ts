import dav1dModule from 'ogv/dist/ogv-decoder-video-av1-simd-wasm.wasm';
import { MalformedImage } from '../../errors.ts';
import type { Size } from '../codec.ts';
import type { DecodedTile, TileDecoder } from '../heif/decode.ts';
import { abort, EmscriptenInstance } from '../heif/emscripten.ts';
import type { Colour, Tile } from '../heif/picture.ts';
import { createYuvConverter, type Plane } from '../heif/yuv.ts';

/** The short names of ogv's build of dav1d. A test compares them with the package. */
export const DAV1D_NAMES = {
  exports: {
    malloc: 'q',
    free: 'o',
    ogv_video_decoder_init: 'j',
    ogv_video_decoder_process_frame: 'n',
  },
  memory: 'h',
  constructors: 'i',
  imports: { abort: 'b', grow: 'd', copy: 'f', write: 'a', frame: 'g' },
} as const;

const { exports: api, imports } = DAV1D_NAMES;

/** The memory that the module starts with. */
export const DAV1D_BYTES = 17_235_968;

/** How chroma is sampled: `enum Dav1dPixelLayout` (dav1d/headers.h) in its order. */
const SAMPLINGS = ['4:0:0', '4:2:0', '4:2:2', '4:4:4'] as const;

export type Sampling = (typeof SAMPLINGS)[number];

/** What dav1d can decode. */
export interface PlainPicture {
  readonly size: Size;
  readonly sampling: Sampling;
  readonly colour: Colour;
}

/** Positions in a `Dav1dPicture` (dav1d/picture.h), in words: the rest of its parameters follow the width. */
const PICTURE = { planes: 2, strides: 5, width: 7 } as const;

/** Addresses of the planes, and the strides of luma and chroma. */
interface Layout {
  readonly planes: readonly [luma: number, blue: number, red: number];
  readonly strides: readonly [luma: number, chroma: number];
}

/** Leaves the module once the picture is drawn. */
class Drawn extends Error {}

/**
 * Decodes AV1 pictures of 8 bits with dav1d, and converts them in place.
 *
 * ogv's code reports only pictures in 4:2:0. For any other it calls `abort` as soon as dav1d has decoded it, so the
 * picture is looked up in dav1d's memory, and the instance cannot decode a second one.
 */
export class Dav1d implements TileDecoder {
  readonly #wasm: EmscriptenInstance;
  readonly #picture: PlainPicture;
  #draw: ((decoded: DecodedTile) => void) | undefined;

  constructor(picture: PlainPicture, maxBytes: number) {
    this.#picture = picture;
    this.#wasm = new EmscriptenInstance(
      dav1dModule,
      { ...DAV1D_NAMES, ...api, ...imports },
      { [imports.abort]: () => this.#abort(), [imports.frame]: (...frame) => this.#receive(frame) },
      maxBytes,
    );
    this.#wasm.call(api.ogv_video_decoder_init);
  }

  get exhausted(): boolean {
    return this.#wasm.exhausted;
  }

  get bytes(): number {
    return this.#wasm.bytes;
  }

  decode({ data }: Tile, draw: (decoded: DecodedTile) => void): void {
    this.#draw = draw;
    const pointer = this.#wasm.copyIn(data);
    const length = data.reduce((sum, part) => sum + part.length, 0);
    try {
      this.#wasm.call(api.ogv_video_decoder_process_frame, pointer, length);
      this.#wasm.free(pointer);
    } catch (error) {
      if (!(error instanceof Drawn)) throw error;
    }
  }

  /** Receives address and stride of each plane, the size and that of chroma, rounded up, and the size itself. */
  #receive(frame: readonly number[]): number {
    const [luma = 0, lumaStride = 0, blue = 0, chromaStride = 0, red = 0, , , , , , width, height] = frame;
    if (width === undefined || height === undefined) throw new MalformedImage('The AVIF is damaged.');
    this.#convert({ planes: [luma, blue, red], strides: [lumaStride, chromaStride] }, { width, height }, '4:2:0');
    return 0;
  }

  #abort(): never {
    const { size, sampling } = this.#picture;
    const found = sampling === '4:2:0' ? undefined : this.#findPicture();
    if (!found) return abort();
    this.#convert(found, size, sampling);
    throw new Drawn();
  }

  /** Searches the memory for a picture of the expected size, sampling and depth. */
  #findPicture(): Layout | undefined {
    const { size, sampling } = this.#picture;
    const words = new Uint32Array(this.#wasm.buffer);
    const isInMemory = (address: number, stride: number, { width, height }: Size) =>
      address > 0 && stride >= width && address + stride * height <= this.bytes;
    for (let i = words.indexOf(size.width); i >= 0; i = words.indexOf(size.width, i + 1)) {
      if (words[i + 1] !== size.height || words[i + 2] !== SAMPLINGS.indexOf(sampling) || words[i + 3] !== 8) continue;
      const from = i - PICTURE.width;
      const [luma = 0, blue = 0, red = 0] = words.subarray(from + PICTURE.planes, from + PICTURE.strides);
      const [lumaStride = 0, chromaStride = 0] = words.subarray(from + PICTURE.strides, i);
      const chroma = sampling === '4:0:0' ? undefined : chromaSize(size, sampling);
      if (!isInMemory(luma, lumaStride, size)) continue;
      if (chroma && ![blue, red].every((address) => isInMemory(address, chromaStride, chroma))) continue;
      return { planes: [luma, blue, red], strides: [lumaStride, chromaStride] };
    }
    return undefined;
  }

  #convert({ planes, strides }: Layout, size: Size, sampling: Sampling): void {
    const plane = (at: number, stride: number, area: Size): Plane => {
      const samples = new Uint8Array(this.#wasm.buffer, at, stride * area.height);
      return { samples, stride, ...area };
    };
    const [luma, blue, red] = planes;
    const [lumaStride, chromaStride] = strides;
    const small = chromaSize(size, sampling);
    const picture = {
      depth: 8,
      luma: plane(luma, lumaStride, size),
      ...(sampling !== '4:0:0' && {
        chroma: [plane(blue, chromaStride, small), plane(red, chromaStride, small)] as const,
      }),
    };
    this.#draw?.({ ...size, channels: 3, row: createYuvConverter(picture, this.#picture.colour, 'libavif') });
  }
}

function chromaSize({ width, height }: Size, sampling: Sampling): Size {
  return {
    width: sampling === '4:4:4' ? width : (width + 1) >> 1,
    height: sampling === '4:2:0' ? (height + 1) >> 1 : height,
  };
}
