import { crc32 } from 'node:zlib';

export type Rgb = readonly [number, number, number];

/**
 * Draws an 8-bit RGB PNG. Runs in workerd and in Node.
 *
 * @param pixel returns the colour at a position
 * @param orientation EXIF orientation, 1 to 8; omitted from the file by default
 */
export async function drawPng(
  width: number,
  height: number,
  pixel: (x: number, y: number) => Rgb,
  orientation?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const rows = new Uint8Array(height * (1 + width * 3));
  let offset = 0;
  for (let y = 0; y < height; y++) {
    rows[offset++] = 0; // Filter type: none.
    for (let x = 0; x < width; x++) {
      rows.set(pixel(x, y), offset);
      offset += 3;
    }
  }
  return encodePng(width, height, rows, orientation);
}

/** Encodes rows of 8-bit RGB pixels, each after the byte of its filter type, as a PNG. */
export async function encodePng(
  width: number,
  height: number,
  rows: Uint8Array<ArrayBuffer>,
  orientation?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // Bits per channel
  header.setUint8(9, 2); // Colour type: RGB
  return concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', new Uint8Array(header.buffer)),
    ...(orientation === undefined ? [] : [chunk('eXIf', exif(orientation))]),
    chunk('IDAT', await deflate(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}

/** Draws a PNG of one colour. */
export function solidPng(colour: Rgb, size = 16): Promise<Uint8Array<ArrayBuffer>> {
  return drawPng(size, size, () => colour);
}

/** The smallest EXIF block with an orientation: the TIFF header and a directory with only tag 274. */
function exif(orientation: number): Uint8Array {
  return Uint8Array.of(
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8],
    ...[0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0],
    ...[0, 0, 0, 0],
  );
}

/** Encodes text as UTF-8. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(new TextEncoder().encode(text));

/** Compresses bytes to a zlib stream. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = new Response(bytes).body?.pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = concat([utf8(type), data]);
  const frame = new DataView(new ArrayBuffer(8));
  frame.setUint32(0, data.byteLength);
  frame.setUint32(4, crc32(body));
  const bytes = new Uint8Array(frame.buffer);
  return concat([bytes.subarray(0, 4), body, bytes.subarray(4)]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
