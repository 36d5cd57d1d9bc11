import dav1dModule from 'ogv/dist/ogv-decoder-video-av1-simd-wasm.wasm';
import { MalformedImage } from '../../errors.ts';
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
  imports: { abort: 'b', grow: 'd', copy: 'f', frame: 'g' },
} as const;

const { exports: api, imports } = DAV1D_NAMES;

/** The memory that the module starts with. */
export const DAV1D_BYTES = 17_235_968;

/** Decodes AV1 pictures of 8 bits and 4:2:0 with dav1d, and converts them in place. */
export class Dav1d implements TileDecoder {
  readonly #wasm: EmscriptenInstance;
  readonly #colour: Colour;
  #draw: ((decoded: DecodedTile) => void) | undefined;

  constructor(colour: Colour, maxBytes: number) {
    this.#wasm = new EmscriptenInstance(
      dav1dModule,
      { ...DAV1D_NAMES, ...api, ...imports },
      { [imports.abort]: abort, [imports.frame]: (...frame) => this.#receive(frame) },
      maxBytes,
    );
    this.#colour = colour;
    this.#wasm.call(api.ogv_video_decoder_init);
  }

  get bytes(): number {
    return this.#wasm.bytes;
  }

  decode({ data }: Tile, draw: (decoded: DecodedTile) => void): void {
    this.#draw = draw;
    const pointer = this.#wasm.copyIn(data);
    const length = data.reduce((sum, part) => sum + part.length, 0);
    this.#wasm.call(api.ogv_video_decoder_process_frame, pointer, length);
    this.#wasm.free(pointer);
  }

  /** Receives address and stride of each plane, the size and that of chroma, rounded up, and the size itself. */
  #receive(frame: readonly number[]): number {
    const [lumaAt, lumaStride, blueAt, blueStride, redAt, redStride, , , , , width, height] = frame;
    if (width === undefined || height === undefined) throw new MalformedImage('The AVIF is damaged.');
    const half = { width: (width + 1) >> 1, height: (height + 1) >> 1 };
    const plane = (at = 0, stride = 0, size: { width: number; height: number }): Plane => {
      const samples = new Uint8Array(this.#wasm.buffer, at, stride * size.height);
      return { samples, stride, ...size };
    };
    const luma = plane(lumaAt, lumaStride, { width, height });
    const chroma = [plane(blueAt, blueStride, half), plane(redAt, redStride, half)] as const;
    const row = createYuvConverter({ luma, chroma, depth: 8 }, this.#colour);
    this.#draw?.({ width, height, channels: 3, row });
    return 0;
  }
}
