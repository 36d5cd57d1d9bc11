import webpModule from '@cwasm/webp/webp.wasm';
import { MalformedImage } from '../../errors.ts';
import { Canvas } from '../frame.ts';
import type { Pixels, Size } from '../photo.ts';
import { allocate, type CExports, WasmDecoder } from '../wasm-decoder.ts';
import type { WebpHeader } from './header.ts';

/** The part of libwebp's simple API that the module exports (decode.h). */
interface LibWebp extends CExports {
  WebPDecodeRGBA(webp: number, size: number, width: number, height: number): number;
}

export const webpDecoder = new WasmDecoder<LibWebp>(webpModule);

const RIFF_HEADER = 12;

/** The canvas outside the first frame of an animation is black, as libwebp's animation decoder has it. */
const BLACK = [0, 0, 0] as const;

export function decodeWebp(header: WebpHeader, target: Size): Pixels {
  return webpDecoder.use((wasm) => {
    const size = RIFF_HEADER + header.picture.length;
    const input = allocate(wasm, size);
    writeStillFile(new Uint8Array(wasm.memory.buffer, input, size), header.picture);
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
 * The simplest WebP file around one coded picture. What stands beside it is left out: alpha, which would be dropped
 * anyway, and the frames of an animation, which the simple API refuses.
 */
function writeStillFile(file: Uint8Array, picture: Uint8Array): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  file.set(new TextEncoder().encode('RIFF'), 0);
  view.setUint32(4, file.length - 8, true);
  file.set(new TextEncoder().encode('WEBP'), 8);
  file.set(picture, RIFF_HEADER);
}
