import heifModule from 'libheif-js/libheif-wasm/libheif.wasm';
import { MalformedImage } from '../../errors.ts';
import type { DecodedTile, TileDecoder } from '../heif/decode.ts';
import { abort, EmscriptenInstance } from '../heif/emscripten.ts';
import type { Colour, Tile } from '../heif/picture.ts';
import { createYuvConverter, type Plane } from '../heif/yuv.ts';
import { readHevcConfig, readUnits } from './nal.ts';

/**
 * The short names of the functions of libde265 (de265.h) in libheif-js, whose libheif is not used. A test compares
 * them with the package, so that another build can take its place.
 */
export const LIBDE265_NAMES = {
  exports: {
    malloc: 'Na',
    free: 'Z',
    de265_init: 'Fi',
    de265_new_decoder: 'Ci',
    de265_free_decoder: 'Hi',
    de265_push_NAL: 'Ii',
    de265_flush_data: 'Ji',
    de265_decode: 'Ki',
    de265_get_next_picture: 'Li',
    de265_get_chroma_format: 'Ni',
    de265_get_image_width: 'Oi',
    de265_get_image_height: 'Pi',
    de265_get_bits_per_pixel: 'Qi',
    de265_get_image_plane: 'Ri',
    de265_get_image_matrix_coefficients: 'Ui',
    de265_get_image_full_range_flag: 'Vi',
  },
  memory: 'Q',
  constructors: 'R',
  imports: { assert: 'b', throw: 'k', abort: 'C', grow: 'D', copy: 'I', write: 'p' },
} as const;

const { exports: api, imports } = LIBDE265_NAMES;

/** The memory that the module starts with. */
export const LIBDE265_BYTES = 17_039_360;

/** Bounds the calls for one picture; each decodes at least one unit. */
const MAX_STEPS = 2_000;

/** Decodes HEVC pictures with libde265 and converts them in place. */
export class Libde265 implements TileDecoder {
  readonly #wasm: EmscriptenInstance;
  /** Bits per sample that were budgeted. */
  readonly #depth: number;
  readonly #colour: Colour | undefined;
  /** Address of a result. */
  readonly #result: number;

  constructor(depth: number, colour: Colour | undefined, maxBytes: number) {
    const fatal = { [imports.assert]: abort, [imports.throw]: abort, [imports.abort]: abort };
    this.#wasm = new EmscriptenInstance(heifModule, { ...LIBDE265_NAMES, ...api, ...imports }, fatal, maxBytes);
    this.#depth = depth;
    this.#colour = colour;
    this.#result = this.#wasm.allocate(8);
    this.#wasm.call(api.de265_init);
  }

  get exhausted(): boolean {
    return this.#wasm.exhausted;
  }

  get bytes(): number {
    return this.#wasm.bytes;
  }

  decode(tile: Tile, draw: (decoded: DecodedTile) => void): void {
    const wasm = this.#wasm;
    const { units, lengthBytes } = readHevcConfig(tile.config);
    const decoder = wasm.call(api.de265_new_decoder);
    for (const unit of [...units, ...readUnits(tile, lengthBytes)]) {
      const pointer = wasm.copyIn([unit]);
      const status = wasm.call(api.de265_push_NAL, decoder, pointer, unit.length, 0, 0, 0);
      if (status !== 0) throw new MalformedImage('The HEIC is damaged.');
      wasm.free(pointer);
    }
    wasm.call(api.de265_flush_data, decoder);
    const image = this.#decodePicture(decoder);
    if (image !== 0) draw(this.#view(image));
    wasm.call(api.de265_free_decoder, decoder);
  }

  /** Returns the address of the picture, or 0 if there is none. */
  #decodePicture(decoder: number): number {
    for (let step = 0; step < MAX_STEPS; step++) {
      const status = this.#wasm.call(api.de265_decode, decoder, this.#result);
      if (status !== 0) throw new MalformedImage('The HEIC is damaged.');
      const image = this.#wasm.call(api.de265_get_next_picture, decoder);
      if (image !== 0 || this.#wasm.word(this.#result) === 0) return image;
    }
    return 0;
  }

  #view(image: number): DecodedTile {
    const wasm = this.#wasm;
    const depth = wasm.call(api.de265_get_bits_per_pixel, image, 0);
    const grey = wasm.call(api.de265_get_chroma_format, image) === 0;
    const luma = this.#plane(image, 0);
    if (depth !== this.#depth || (!grey && wasm.call(api.de265_get_bits_per_pixel, image, 1) !== depth)) {
      throw new MalformedImage('The HEIC has a bit depth that is not the announced one.');
    }
    const colour = this.#colour ?? {
      matrix: wasm.call(api.de265_get_image_matrix_coefficients, image),
      fullRange: wasm.call(api.de265_get_image_full_range_flag, image) !== 0,
    };
    const chroma = grey ? {} : { chroma: [this.#plane(image, 1), this.#plane(image, 2)] as const };
    const row = createYuvConverter({ luma, ...chroma, depth }, colour, 'libheif');
    return { width: luma.width, height: luma.height, channels: 3, row };
  }

  #plane(image: number, channel: number): Plane {
    const wasm = this.#wasm;
    const at = wasm.call(api.de265_get_image_plane, image, channel, this.#result);
    const stride = wasm.word(this.#result);
    const width = wasm.call(api.de265_get_image_width, image, channel);
    const height = wasm.call(api.de265_get_image_height, image, channel);
    const bytes = stride * height;
    // Deeper samples have two bytes.
    return this.#depth > 8
      ? { samples: new Uint16Array(wasm.buffer, at, bytes >> 1), stride: stride >> 1, width, height }
      : { samples: new Uint8Array(wasm.buffer, at, bytes), stride, width, height };
  }
}
