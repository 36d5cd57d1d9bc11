import jpegModule from '@cwasm/jpeg-turbo/jpeg-turbo.wasm';
import { MalformedImage } from '../../errors.ts';
import type { Pixels, ReductionTarget } from '../codec.ts';
import { createReducer } from '../reduction.ts';
import { allocate, type CExports, copyIn, WasmDecoder } from '../wasm-decoder.ts';
import { cmykToRgb } from './cmyk.ts';
import type { JpegHeader } from './header.ts';
import { decodedSize, jpegReduction, neededBytes, neededParts, scaledSize } from './reduction.ts';

/** The part of TurboJPEG's API that the module exports (turbojpeg.h 2.0). */
interface TurboJpeg extends CExports {
  tjInitDecompress(): number;
  tjDestroy(handle: number): number;
  tjDecompressHeader3(
    handle: number,
    jpeg: number,
    size: number,
    width: number,
    height: number,
    subsampling: number,
    colourSpace: number,
  ): number;
  tjDecompress2(
    handle: number,
    jpeg: number,
    size: number,
    output: number,
    width: number,
    pitch: number,
    height: number,
    pixelFormat: number,
    flags: number,
  ): number;
}

const TJPF_RGBA = 7;
const TJPF_CMYK = 11;

export const jpegDecoder = new WasmDecoder<TurboJpeg>(jpegModule);

export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, target: ReductionTarget): Pixels {
  const reduction = jpegReduction(header, target);
  const { width, height } = scaledSize(header, reduction);
  const length = width * height * 4;
  const cmyk = header.components.length === 4;
  return jpegDecoder.use((wasm) => {
    const parts = neededParts(bytes, header, reduction);
    const size = neededBytes(header, reduction);
    const input = copyIn(wasm, parts);
    const handle = wasm.tjInitDecompress();
    checkSize(wasm, handle, input, size, header);
    const output = allocate(wasm, length);
    markUnwritten(wasm, output, length);
    const format = cmyk ? TJPF_CMYK : TJPF_RGBA;
    const status = wasm.tjDecompress2(handle, input, size, output, width, width * 4, height, format, 0);
    const pixels = new Uint8Array(wasm.memory.buffer, output, length);
    if (status !== 0 && header.endless) throw new MalformedImage('The JPEG is truncated.');
    // Warnings also return -1, so check whether the decoder reached the last pixel.
    if (status !== 0 && !cmyk && pixels.at(-1) !== 255) throw new MalformedImage('The JPEG is damaged.');
    if (cmyk) cmykToRgb(pixels);
    const reducer = createReducer(decodedSize(header, target), target);
    for (let y = 0; y < height; y++) {
      reducer.add(y, pixels.subarray(y * width * 4, (y + 1) * width * 4), 4, width);
    }
    wasm.tjDestroy(handle);
    wasm.free(output);
    wasm.free(input);
    return reducer.finish();
  });
}

/** Ensures that the decoder reads the same size as the budget assumed. */
function checkSize(wasm: TurboJpeg, handle: number, input: number, size: number, header: JpegHeader): void {
  const at = allocate(wasm, 16);
  wasm.tjDecompressHeader3(handle, input, size, at, at + 4, at + 8, at + 12);
  const [width, height] = new Uint32Array(wasm.memory.buffer, at, 2);
  wasm.free(at);
  if (width !== header.width || height !== header.height) throw new MalformedImage('The JPEG is damaged.');
}

/** Clears the last alpha value. The decoder writes 255, so 0 shows that it never reached the last pixel. */
function markUnwritten(wasm: TurboJpeg, output: number, length: number): void {
  new Uint8Array(wasm.memory.buffer, output, length)[length - 1] = 0;
}
