import avifModule from '@jsquash/avif/codec/dec/avif_dec.wasm';
import { MalformedImage } from '../../errors.ts';
import type { Size } from '../codec.ts';
import type { DecodedTile, TileDecoder } from '../heif/decode.ts';
import { abort, EmscriptenInstance } from '../heif/emscripten.ts';
import type { Colour, Tile } from '../heif/picture.ts';
import { wrapTile } from './file.ts';
import { type Av1Config, readAv1Config } from './obu.ts';

/** The short names of jSquash's build of libavif and libaom. A test compares them with the package. */
export const LIBAVIF_NAMES = {
  exports: { malloc: 'I', free: 'J' },
  memory: 'F',
  table: 'K',
  constructors: 'G',
  imports: {
    abort: 'a',
    longjmp: 'u',
    grow: 'v',
    write: 'y',
    registerFunction: 'x',
    callValue: 'f',
    invoke: ['d', 'r', 's', 't', 'k', 'q'],
  },
} as const;

const { exports: api, imports } = LIBAVIF_NAMES;

/** The memory that the module starts with. */
export const LIBAVIF_BYTES = 16_777_216;

/** Symbols for which libaom's accounting (aom/av1/decoder/accounting.h) has room at first, and names that it can hold. */
const ACCOUNTED = { symbols: 1_000, names: 256 } as const;

/** Any value but 0, which means null. */
const HANDLE = 1;

/**
 * Decodes AV1 pictures of any depth and subsampling with libavif, which converts them to RGBA itself.
 *
 * The module announces one function, `decode`, and calls back for `new Uint8ClampedArray(view)` and
 * `new ImageData(array, width, height)`. The first callback's view is read in place, and the rest is ignored.
 */
export class Libavif implements TileDecoder {
  readonly #wasm: EmscriptenInstance;
  readonly #size: Size;
  readonly #colour: Colour | undefined;
  #decode: { readonly invoker: number; readonly target: number } | undefined;
  #receive: ((values: number) => void) | undefined;

  constructor(size: Size, colour: Colour | undefined, maxBytes: number) {
    this.#size = size;
    this.#colour = colour;
    const invoke = (index = 0, ...values: number[]) => {
      this.#disableAccounting();
      return this.#wasm.callIndirect(LIBAVIF_NAMES.table, index, ...values);
    };
    this.#wasm = new EmscriptenInstance(
      avifModule,
      { ...LIBAVIF_NAMES, ...api, ...imports },
      {
        ...Object.fromEntries(imports.invoke.map((name) => [name, invoke])),
        [imports.abort]: abort,
        [imports.longjmp]: abort,
        [imports.registerFunction]: (_name, _count, _types, _signature, invoker = 0, target = 0) => {
          this.#decode = { invoker, target };
          return 0;
        },
        [imports.callValue]: (_caller, _handle, _destructors, values = 0) => {
          this.#receive?.(values);
          return HANDLE;
        },
      },
      maxBytes,
    );
  }

  get exhausted(): boolean {
    return this.#wasm.exhausted;
  }

  get bytes(): number {
    return this.#wasm.bytes;
  }

  decode(tile: Tile, draw: (decoded: DecodedTile) => void): void {
    const wasm = this.#wasm;
    const { width, height } = this.#size;
    const config: Av1Config = readAv1Config(tile.config);
    const file = wrapTile(tile, this.#size, config, this.#colour);
    const length = new Uint8Array(Uint32Array.of(file.reduce((sum, part) => sum + part.length, 0)).buffer);
    // Embind's form of a string: its length, then its bytes.
    const text = wasm.copyIn([length, ...file]);
    const decode = this.#decode;
    if (!decode) throw new Error('The module announces no function.');
    this.#receive = (values) => {
      this.#receive = undefined;
      const [bytes, at] = [wasm.word(values), wasm.word(values + 4)];
      if (bytes !== width * height * 4) throw new MalformedImage('The AVIF has another size than announced.');
      const pixels = new Uint8Array(wasm.buffer, at, bytes);
      const row = (y: number) => pixels.subarray(y * width * 4, (y + 1) * width * 4);
      draw({ width, height, channels: 4, row });
    };
    wasm.callIndirect(LIBAVIF_NAMES.table, decode.invoker, decode.target, text, 8);
    this.#receive = undefined;
    wasm.free(text);
  }

  /**
   * Turns off a debugging aid of this build before it decodes a frame: libaom would record every coded symbol, which
   * takes 28 times the file's size and more. An `AV1Decoder` (aom/av1/decoder/decoder.h) contains the switch, followed by
   * the accounting: its address, three counters, the names, their number, and the room for symbols.
   */
  #disableAccounting(): void {
    const words = new Uint32Array(this.#wasm.buffer);
    const empty = 3 + ACCOUNTED.names + 1;
    for (let at = words.indexOf(ACCOUNTED.symbols); at >= 0; at = words.indexOf(ACCOUNTED.symbols, at + 1)) {
      const from = at - empty - 2;
      if (words[from] !== 1 || words[from + 1] === 0) continue;
      if (words.subarray(from + 2, at).every((word) => word === 0)) words[from] = 0;
    }
  }
}
