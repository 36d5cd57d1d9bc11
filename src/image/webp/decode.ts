import webpModule from '@cwasm/webp/webp.wasm';
import { MalformedImage } from '../../errors.ts';
import { Canvas } from '../canvas.ts';
import type { Pixels, ReductionTarget } from '../codec.ts';
import { allocate, type CExports, copyIn, WasmDecoder } from '../wasm-decoder.ts';
import type { WebpHeader } from './header.ts';

/** The part of libwebp's simple API that the module exports (decode.h). */
interface LibWebp extends CExports {
  WebPDecodeRGBA(webp: number, size: number, width: number, height: number): number;
}

export const webpDecoder = new WasmDecoder<LibWebp>(webpModule);

const RIFF_HEADER = 12;

/** Colour around an animation's first frame, as in libwebp's animation decoder. */
const BLACK = [0, 0, 0] as const;

export function decodeWebp(header: WebpHeader, target: ReductionTarget): Pixels {
  return webpDecoder.use((wasm) => {
    const input = copyIn(wasm, [riffHeader(header.picture), header.picture]);
    const size = RIFF_HEADER + header.picture.length;
    const sizeAt = allocate(wasm, 8);
    const output = wasm.WebPDecodeRGBA(input, size, sizeAt, sizeAt + 4);
    if (output === 0) throw new MalformedImage('The WebP is damaged.');
    wasm.free(input);
    const { width, height } = header.frame;
    const rgba = new Uint8Array(wasm.memory.buffer, output, width * height * 4);
    const canvas = new Canvas(header, header.frame, BLACK, target);
    for (let y = 0; y < height; y++) canvas.add(y, rgba.subarray(y * width * 4, (y + 1) * width * 4));
    wasm.free(output);
    wasm.free(sizeAt);
    return canvas.finish();
  });
}

/**
 * Turns the picture chunk into the simplest WebP file. This omits alpha, which would be dropped anyway, and an
 * animation's other frames, which the simple API rejects.
 */
function riffHeader(picture: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode('RIFF....WEBP');
  new DataView(header.buffer).setUint32(4, 'WEBP'.length + picture.length, true);
  return header;
}
