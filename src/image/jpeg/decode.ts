import jpegModule from '@cwasm/jpeg-turbo/jpeg-turbo.wasm';
import { MalformedImage } from '../../errors.ts';
import type { Pixels, Size } from '../photo.ts';
import { Reducer } from '../reducer.ts';
import { allocate, type CExports, copyIn, WasmDecoder } from '../wasm-decoder.ts';
import { cmykToRgb } from './cmyk.ts';
import type { JpegHeader } from './header.ts';

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

/** By how much libjpeg-turbo scales while decoding: the largest step that leaves twice the target. */
export function jpegReduction(size: Size, target: Size): 1 | 2 | 4 | 8 {
  const room = Math.min(size.width / target.width, size.height / target.height) / 2;
  return room >= 8 ? 8 : room >= 4 ? 4 : room >= 2 ? 2 : 1;
}

/** What libjpeg-turbo makes of `size`: it rounds up. */
export function scaledSize({ width, height }: Size, reduction: number): Size {
  return { width: Math.ceil(width / reduction), height: Math.ceil(height / reduction) };
}

export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, target: Size): Pixels {
  const reduction = jpegReduction(header, target);
  const { width, height } = scaledSize(header, reduction);
  const extent = { width: header.width / reduction, height: header.height / reduction };
  const cmyk = header.components.length === 4;
  return jpegDecoder.use((wasm) => {
    const input = copyIn(wasm, bytes.subarray(0, header.end));
    const handle = wasm.tjInitDecompress();
    checkSize(wasm, handle, input, header);
    const output = allocate(wasm, width * height * 4);
    const format = cmyk ? TJPF_CMYK : TJPF_RGBA;
    // -1 also stands for warnings, and the file is known to be complete: what counts is that pixels came out.
    markUnwritten(wasm, output, width * height * 4);
    const status = wasm.tjDecompress2(handle, input, header.end, output, width, width * 4, height, format, 0);
    const pixels = new Uint8Array(wasm.memory.buffer, output, width * height * 4);
    if (status !== 0 && !cmyk && pixels.at(-1) !== 255) throw new MalformedImage('The JPEG is damaged.');
    if (cmyk) cmykToRgb(pixels);
    const reducer = new Reducer(extent, target);
    for (let y = 0; y < height; y++) {
      reducer.add(y, pixels.subarray(y * width * 4, (y + 1) * width * 4), 4, width);
    }
    wasm.tjDestroy(handle);
    wasm.free(output);
    wasm.free(input);
    return reducer.finish();
  });
}

/** The decoder must see the size that the budget was reckoned with. */
function checkSize(wasm: TurboJpeg, handle: number, input: number, header: JpegHeader): void {
  const at = allocate(wasm, 16);
  wasm.tjDecompressHeader3(handle, input, header.end, at, at + 4, at + 8, at + 12);
  const [width, height] = new Uint32Array(wasm.memory.buffer, at, 2);
  wasm.free(at);
  if (width !== header.width || height !== header.height) throw new MalformedImage('The JPEG is damaged.');
}

/** RGBA pixels are written with alpha 255, so a last one of 0 shows that decoding never got there. */
function markUnwritten(wasm: TurboJpeg, output: number, length: number): void {
  new Uint8Array(wasm.memory.buffer, output, length)[length - 1] = 0;
}
