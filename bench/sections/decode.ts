import sharp from 'sharp';
import * as z from 'zod';
import { codedPicture, writeHeif } from '../../test/pictures/heif.ts';
import { drawCostlyGif, type GifRecipe } from '../../test/soak/costly/gif.ts';
import { drawCostlyJpeg, type JpegRecipe } from '../../test/soak/costly/jpeg.ts';
import { drawCostlyPng, type PngRecipe } from '../../test/soak/costly/png.ts';
import { drawCostlyWebp, type WebpRecipe } from '../../test/soak/costly/webp.ts';
import heif from '../../test/src/pictures/heif.json' with { type: 'json' };
import { cpuMilliseconds } from '../cpu.ts';
import { defineSection, slug } from '../section.ts';
import { round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 5;
/** Side of the network's input. */
const SIDE = 128;

const Row = z.object({
  /** What nearly all of the file's cost is for. */
  cost: z.string(),
  /** How often it occurs in the file. */
  count: z.number(),
  /** CPU of workerd's process for a request with the file, and the decoder's estimate. */
  milliseconds: z.number(),
  estimate: z.number(),
  /** Bytes of the decoder's wasm memory, 0 for our own decoders, and of the lease that the photo gets. */
  decoder: z.number(),
  lease: z.number(),
});

const Answer = z.object({ estimate: z.number(), lease: z.number(), decoder: z.number() });

const square = (side: number) => ({ width: side, height: side });

const png = (recipe: Partial<PngRecipe>) => async () =>
  drawCostlyPng({
    ...square(10),
    ...{ depth: 8, colour: 2, interlaced: false, filter: 4, noise: true, level: 0 },
    ...{ emptyBlocks: 0, chunkBytes: 65_536, textChunks: 0, texts: 'none', ...recipe },
  });

const gif = (recipe: Partial<GifRecipe>) => async () =>
  drawCostlyGif({
    ...{ canvas: square(1), frame: square(1), interlaced: false, codes: 'runs', blockBytes: 255 },
    ...{ before: 'extensions', count: 0 },
    ...recipe,
  });

const jpeg = (recipe: Partial<JpegRecipe>) => () =>
  drawCostlyJpeg({
    ...{ coded: square(64), size: square(64), progressive: false, subsampled: false, colour: 'colour', quality: 90 },
    ...{ scan: 0, times: 1, shortCodes: false, data: undefined, comments: 0, restartInterval: 0, ...recipe },
  });

const webp = (recipe: Partial<WebpRecipe>) => () =>
  drawCostlyWebp({
    ...{ ...square(2000), kind: 'lossy', quality: 90, effort: 2, noise: 0, colours: 256, damaged: false },
    ...{ canvas: square(0), emptyChunks: 0, ...recipe },
  });

/** A photo as phones write it, in tiles of 512 x 512 pixels: 8 x 6 of them are 12 megapixels. */
const phone =
  (format: string, { columns = 8, rows = 6 } = {}) =>
  async () => {
    const tile = heif.phone.find(({ name }) => name === format);
    const coded = codedPicture(Buffer.from(tile?.file ?? '', 'base64'));
    const grid = { width: columns * 504, height: rows * 504, columns };
    return Buffer.from(writeHeif(new Array(columns * rows).fill(coded), { grid }));
  };

/** An AVIF in one piece: the tile of a phone's photo, enlarged. */
const avif = (width: number, height: number, chromaSubsampling: '4:2:0' | '4:4:4') => async () => {
  const tile = Buffer.from(heif.phone.find(({ name }) => name === 'avif')?.file ?? '', 'base64');
  return sharp(tile).resize(width, height, { fit: 'fill' }).avif({ chromaSubsampling, effort: 0 }).toBuffer();
};

/** Files whose cost is nearly all for one thing. */
const FILES: readonly { readonly cost: string; readonly count: number; draw(): Promise<Buffer> }[] = [
  {
    cost: 'PNG: inflated byte',
    count: 64e6,
    draw: png({ ...square(4000), filter: 4, noise: false, level: 9, colour: 6 }),
  },
  { cost: 'PNG: compressed byte', count: 2.06e6, draw: png({ emptyBlocks: 100_000 }) },
  { cost: 'PNG: pixel', count: 100e6, draw: png({ ...square(10_000), depth: 1, colour: 0, noise: false, level: 9 }) },
  { cost: 'PNG: row', count: 1e6, draw: png({ width: 8, height: 1e6, depth: 1, colour: 0, noise: false, level: 9 }) },
  { cost: 'PNG: chunk', count: 186_080, draw: png({ height: 6_000, chunkBytes: 1 }) },
  { cost: 'PNG: byte of a text', count: 2.1e6, draw: png({ texts: 'lines' }) },
  { cost: 'PNG: inflated byte of a text', count: 2.1e6, draw: png({ texts: 'packed lines' }) },
  { cost: 'PNG: compressed byte of a text', count: 0.52e6, draw: png({ texts: 'packed blocks' }) },
  { cost: 'GIF: byte of an empty extension', count: 15e6, draw: gif({ before: 'extensions', count: 5e6 }) },
  { cost: 'GIF: byte of a terminator', count: 15e6, draw: gif({ before: 'terminators', count: 15e6 }) },
  { cost: 'GIF: byte of a block of one', count: 15e6, draw: gif({ before: 'blocks', count: 7.5e6 }) },
  { cost: 'GIF: pixel', count: 16e6, draw: gif({ frame: square(4000) }) },
  { cost: 'GIF: compressed byte', count: 12e6, draw: gif({ frame: square(2000), codes: 'clears' }) },
  {
    cost: 'GIF: pixel of the canvas',
    count: 40e6,
    draw: gif({ canvas: square(6324), frame: { width: 1, height: 6324 } }),
  },
  { cost: 'GIF: row of the canvas', count: 65_535, draw: gif({ canvas: { width: 1000, height: 65_535 } }) },
  { cost: 'JPEG: byte', count: 11.7e6, draw: jpeg({ coded: square(2000), size: square(2000), quality: 100 }) },
  { cost: 'JPEG: block', count: 4.7e6, draw: jpeg({ size: square(10_000) }) },
  { cost: 'JPEG: pixel of CMYK', count: 4e6, draw: jpeg({ size: square(2000), colour: 'cmyk' }) },
  { cost: 'JPEG: pixel of YCCK', count: 4e6, draw: jpeg({ size: square(2000), colour: 'ycck' }) },
  { cost: 'JPEG: segment', count: 2e6, draw: jpeg({ comments: 2e6 }) },
  {
    cost: 'progressive JPEG: byte',
    count: 4.3e6,
    draw: jpeg({ coded: square(500), size: square(500), progressive: true, subsampled: true, scan: 5, times: 100 }),
  },
  { cost: 'progressive JPEG: block', count: 0.57e6, draw: jpeg({ size: square(3500), progressive: true }) },
  {
    cost: 'progressive JPEG: block of a scan',
    count: 37.6e6,
    draw: jpeg({ coded: square(64), size: square(2000), progressive: true, times: 200 }),
  },
  { cost: 'WebP: pixel', count: 4e6, draw: webp({ quality: 10 }) },
  { cost: 'WebP: byte', count: 10.6e6, draw: webp({ quality: 100, noise: 1 }) },
  { cost: 'lossless WebP: pixel', count: 4e6, draw: webp({ kind: 'lossless' }) },
  { cost: 'AVIF in tiles, 12 MP: pixel', count: 12.6e6, draw: phone('avif') },
  { cost: 'AVIF in one piece, 3 MP: pixel', count: 3.1e6, draw: avif(2048, 1536, '4:2:0') },
  { cost: 'AVIF in one piece, 3 MP in 4:4:4: pixel', count: 3.1e6, draw: avif(2048, 1536, '4:4:4') },
  { cost: 'AVIF in one piece, 12 MP: pixel', count: 12.2e6, draw: avif(4032, 3024, '4:2:0') },
  { cost: 'HEIC in tiles, 12 MP: pixel', count: 12.6e6, draw: phone('heic') },
  { cost: 'HEIC in tiles, 48 MP: pixel', count: 50.3e6, draw: phone('heic', { columns: 16, rows: 12 }) },
];

/** What the coefficients of the estimates in src/image are fitted to. */
export const decode = defineSection({
  name: 'decode',
  schema: z.object({ rows: z.array(Row) }),

  async measure({ progress, runs = RUNS }) {
    progress.show('decode: starting workerd');
    const store = await createStore();
    const workerd = await startWorkerd(await bundle('bench/worker/decode.js'), store);
    try {
      const rows: z.infer<typeof Row>[] = [];
      for (const { cost, count, draw } of FILES) {
        progress.show('decode', cost);
        const body = Uint8Array.from(await draw());
        const send = async (path = '') => {
          const response = await fetch(`${workerd.url}/${SIDE}${path}`, { method: 'POST', body });
          return Answer.parse(await response.json());
        };
        const { estimate, lease, decoder } = await send('?fresh');
        const before = cpuMilliseconds(workerd.pid);
        for (let run = 0; run < runs; run++) await send();
        const milliseconds = (cpuMilliseconds(workerd.pid) - before) / runs;
        rows.push({ cost, count, milliseconds: round(milliseconds), estimate: round(estimate), decoder, lease });
      }
      return { rows };
    } finally {
      await workerd.stop();
      await store.remove();
    }
  },

  report({ rows }) {
    const each = (milliseconds: number, count: number) => ((milliseconds * 1e6) / count).toFixed(0);
    const megabytes = (bytes: number) => (bytes === 0 ? '' : (bytes / 1e6).toFixed(1));
    return {
      figures: Object.fromEntries(
        rows.flatMap(({ cost, milliseconds, estimate, decoder, lease }) => [
          [`${slug(cost)}-ms`, milliseconds.toFixed(0)],
          [`${slug(cost)}-estimate-ms`, estimate.toFixed(0)],
          [`${slug(cost)}-decoder-mb`, megabytes(decoder)],
          [`${slug(cost)}-lease-mb`, megabytes(lease)],
        ]),
      ),
      tables: [
        table(
          [
            'cost',
            'in the file',
            'CPU ms',
            'estimate, ms',
            'CPU ns each',
            'estimate, ns each',
            'decoder, MB',
            'lease, MB',
          ],
          rows.map(({ cost, count, milliseconds, estimate, decoder, lease }) => [
            cost,
            count.toLocaleString('en'),
            ...[milliseconds, estimate].map((value) => value.toFixed(0)),
            each(milliseconds, count),
            each(estimate, count),
            megabytes(decoder),
            megabytes(lease),
          ]),
        ),
        'Each file consists almost only of what its row names. The CPU time includes the request, about 10 ms. The lease is the estimated peak of decoder, reduction and resizing.',
      ],
    };
  },
});
