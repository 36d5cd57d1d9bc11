import { BitWriter } from '../../pictures/bit-writer.ts';

/** A GIF to generate. */
export interface GifRecipe {
  readonly canvas: { readonly width: number; readonly height: number };
  readonly frame: { readonly width: number; readonly height: number };
  readonly interlaced: boolean;
  /** Strings of growing length, single pixels, or a clear code after each pixel. */
  readonly codes: 'runs' | 'singles' | 'clears';
  /** Bytes in each block of LZW data. */
  readonly blockBytes: number;
  /** What is before the frame: empty extensions, terminators too many, or an extension of blocks of one byte. */
  readonly before: 'extensions' | 'terminators' | 'blocks';
  /** How many of them. */
  readonly count: number;
}

export function drawCostlyGif({ canvas, frame, interlaced, codes, blockBytes, before, count }: GifRecipe): Buffer {
  const screen = Buffer.alloc(13);
  screen.write('GIF89a', 'latin1');
  screen.writeUInt16LE(canvas.width, 6);
  screen.writeUInt16LE(canvas.height, 8);
  screen[10] = 0x80;
  const descriptor = Buffer.alloc(10);
  descriptor[0] = 0x2c;
  descriptor.writeUInt16LE(frame.width, 5);
  descriptor.writeUInt16LE(frame.height, 7);
  descriptor[9] = interlaced ? 0x40 : 0;
  const palette = Buffer.from([120, 90, 60, 0, 0, 0]);
  const data = DRAW[codes](frame.width * frame.height);
  const blocks = Buffer.alloc(data.length + Math.ceil(data.length / blockBytes));
  let to = 0;
  for (let at = 0; at < data.length; at += blockBytes) {
    const block = data.subarray(at, at + blockBytes);
    blocks[to] = block.length;
    block.copy(blocks, to + 1);
    to += 1 + block.length;
  }
  return Buffer.concat([
    screen,
    palette,
    drawBefore(before, count),
    descriptor,
    Buffer.of(2),
    blocks,
    Buffer.of(0, 0x3b),
  ]);
}

function drawBefore(before: GifRecipe['before'], count: number): Buffer {
  if (before === 'extensions') return repeat(Buffer.of(0x21, 0xfe, 0), count);
  if (before === 'terminators') return Buffer.alloc(count);
  return Buffer.concat([Buffer.of(0x21, 0xfe), repeat(Buffer.of(1, 1), count), Buffer.of(0)]);
}

const [CLEAR, FIRST, LAST] = [4, 6, 4095];

const DRAW = {
  /** One colour: each code stands for a run that is one pixel longer than that of the code before it. */
  runs(count: number) {
    const writer = new BitWriter();
    let width = 3;
    for (let written = 1; written <= count; written++) {
      writer.put(CLEAR, width);
      width = 3;
      writer.put(0, width);
      for (let code = FIRST, run = 2; code <= LAST && written < count; code++, run++) {
        writer.put(code, width);
        written += run;
        if (code + 1 === 1 << width && width < 12) width++;
      }
    }
    return Buffer.from(writer.finish());
  },
  /** Two pixels and a clear code, so that all codes have three bits. */
  singles(count: number) {
    // 4 0 1 | 4 0 1 ...: 9 bits for two pixels.
    const writer = new BitWriter();
    for (let i = 0; i < 16; i++) writer.put(CLEAR, 3).put(0, 3).put(1, 3);
    return repeat(writer.finish().subarray(0, 18), Math.ceil(count / 32));
  },
  /** Seven clear codes before each pixel. */
  clears(count: number) {
    const writer = new BitWriter();
    for (let i = 0; i < 7; i++) writer.put(CLEAR, 3);
    return repeat(writer.put(1, 3).finish().subarray(0, 3), count);
  },
};

const repeat = (bytes: Uint8Array, times: number): Buffer => Buffer.alloc(bytes.length * times, bytes);
