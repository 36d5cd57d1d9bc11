import sharp from 'sharp';
import { losslessBomb } from '../../pictures/lossless-bomb.ts';
import { seeded } from '../../random.ts';

/** A WebP to generate. */
export interface WebpRecipe {
  readonly width: number;
  readonly height: number;
  readonly kind: 'lossy' | 'lossless' | 'prefix codes';
  readonly quality: number;
  readonly effort: number;
  /** How much of each pixel is noise, 0 to 1. */
  readonly noise: number;
  /** Number of different colours, of a lossless picture. */
  readonly colours: number;
  /** Whether to write noise over the second half of the data. */
  readonly damaged: boolean;
  /** Size of the canvas around it; none if smaller than the picture. */
  readonly canvas: { readonly width: number; readonly height: number };
  readonly emptyChunks: number;
}

export async function drawCostlyWebp(recipe: WebpRecipe): Promise<Buffer> {
  const { width, height, kind, canvas, emptyChunks } = recipe;
  const bytes = kind === 'prefix codes' ? Buffer.from(losslessBomb(Math.min(width, 200))) : await encode(recipe);
  const picture = Buffer.from(bytes.subarray(bytes.indexOf(kind === 'lossy' ? 'VP8 ' : 'VP8L')));
  if (recipe.damaged) {
    const random = seeded(picture.length);
    for (let at = picture.length >> 1; at < picture.length; at++) picture[at] = random() * 256;
  }
  const empty = chunk('JUNK', Buffer.alloc(0));
  const junk = Buffer.alloc(emptyChunks * empty.length, empty);
  if (canvas.width < width || canvas.height < height) return riff([junk, picture]);
  const frame = Buffer.alloc(16);
  frame.writeUIntLE(width - 1, 6, 3);
  frame.writeUIntLE(height - 1, 9, 3);
  const extended = Buffer.alloc(10);
  extended[0] = 2;
  extended.writeUIntLE(canvas.width - 1, 4, 3);
  extended.writeUIntLE(canvas.height - 1, 7, 3);
  return riff([chunk('VP8X', extended), junk, chunk('ANMF', Buffer.concat([frame, picture]))]);
}

async function encode({ width, height, kind, quality, effort, noise, colours }: WebpRecipe): Promise<Buffer> {
  const random = seeded(width);
  const step = 256 / colours;
  const pattern = Buffer.from(
    Array.from(
      { length: 65_521 },
      (_, i) => Math.floor((random() * noise * 255 + (1 - noise) * (i & 255)) / step) * step,
    ),
  );
  const pixels = Buffer.alloc(width * height * 3, pattern);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .webp({ quality, effort, lossless: kind === 'lossless' })
    .toBuffer();
}

function riff(chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  const head = Buffer.alloc(8);
  head.write('RIFF', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

function chunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length & 1)]);
}
