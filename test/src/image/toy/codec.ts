import { ByteReader, startsWith } from '../../../../src/image/bytes.ts';
import type { Codec } from '../../../../src/image/codec.ts';
import { createReducer } from '../../../../src/image/reduction.ts';

const SIGNATURE = 'TOY1';
const HEADER_BYTES = 8;
/** Estimated nanoseconds for each pixel. */
const PIXEL_COST = 1_000;

let lastPicture = new Uint8Array();

/** A made-up format: the signature, width and height as 16-bit big-endian integers, and rows of RGB triples. */
export const toy: Codec = {
  format: 'toy',
  name: 'Toy',
  mediaTypes: ['image/x-toy'],
  idle: {
    get heldBytes() {
      return lastPicture.length;
    },
    drop() {
      lastPicture = new Uint8Array();
    },
  },
  matches: (bytes) => startsWith(bytes, SIGNATURE),
  readHeader(bytes) {
    const reader = new ByteReader(bytes);
    const size = { width: reader.u16(4), height: reader.u16(6) };
    reader.slice(HEADER_BYTES, size.width * size.height * 3);
    return { ...size, orientation: 1 };
  },
  decodeMilliseconds: ({ width, height }) => (width * height * PIXEL_COST) / 1e6,
  decoderBytes: ({ width, height }) => width * height * 3,
  decode(bytes, header, target) {
    lastPicture = bytes.slice(HEADER_BYTES);
    const reducer = createReducer(header, target);
    const stride = header.width * 3;
    for (let y = 0; y < header.height; y++) {
      reducer.add(y, lastPicture.subarray(y * stride, (y + 1) * stride), 3, header.width);
    }
    return reducer.finish();
  },
};

/** A toy file of one colour. */
export function toyFile(
  width: number,
  height: number,
  rgb: readonly [number, number, number],
): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(HEADER_BYTES + width * height * 3);
  file.set(new TextEncoder().encode(SIGNATURE));
  const view = new DataView(file.buffer);
  view.setUint16(4, width);
  view.setUint16(6, height);
  for (let at = HEADER_BYTES; at < file.length; at += 3) file.set(rgb, at);
  return file;
}
