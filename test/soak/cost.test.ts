import { expect, test } from 'vitest';
import * as z from 'zod';
import { cpuMilliseconds } from '../../bench/cpu.ts';
import { bundle, createStore, startWorkerd } from '../../bench/workerd.ts';
import { parseConfig } from '../../src/config.ts';
import { seeded } from '../random.ts';
import { drawCostlyGif, type GifRecipe } from './costly/gif.ts';
import { drawCostlyJpeg, type JpegRecipe } from './costly/jpeg.ts';
import { drawCostlyPng, type PngRecipe, rowsBytes } from './costly/png.ts';
import { drawCostlyWebp, type WebpRecipe } from './costly/webp.ts';
import { Climber, choice, type Gene, integer, record } from './search.ts';

const TRIES = Number(process.env.COST_TRIES ?? 1_500);
const SEED = 20_261_126;
const WORST = 10;
/** Below, the clock ticks and the request itself count too much to compare with an estimate. */
const NOTICEABLE = 100;
const { MAX_DECODE_MS, MAX_BODY_BYTES } = parseConfig({});
/** The sides of inputs, for models with and without `resize` in their manifest. */
const INPUTS = [
  [128, ''],
  [224, '?squeeze'],
] as const;
/** What takes too long to generate: bytes before compression. */
const [MAX_ROWS, MAX_NOISE] = [150_000_000, 30_000_000];

const Answer = z.object({ estimate: z.number(), outcome: z.string() });

const size = (max: number) => record({ width: integer(1, max), height: integer(1, max) });
const rarely = (max: number): Gene<number> => {
  const often = integer(0, max);
  return { ...often, draw: (random) => (random() < 0.7 ? 0 : often.draw(random)) };
};

const pngGene = record<PngRecipe>({
  width: integer(1, 4_000_000),
  height: integer(1, 4_000_000),
  depth: choice(1, 2, 4, 8, 16),
  colour: choice(0, 2, 3, 4, 6),
  interlaced: choice(false, true),
  filter: choice(0, 1, 2, 3, 4, 5),
  noise: choice(false, true),
  level: integer(0, 9),
  emptyBlocks: rarely(1_000_000),
  chunkBytes: integer(1, 65_536),
  textChunks: rarely(1_000_000),
  texts: choice('none', 'lines', 'packed lines', 'packed blocks'),
});

const gifGene = record<GifRecipe>({
  canvas: size(65_535),
  frame: size(65_535),
  interlaced: choice(false, true),
  codes: choice('runs', 'singles', 'clears'),
  blockBytes: integer(1, 255),
  before: choice('extensions', 'terminators', 'blocks'),
  count: rarely(6_000_000),
});

const jpegGene = record<JpegRecipe>({
  coded: size(1_200),
  size: size(65_500),
  progressive: choice(false, true),
  subsampled: choice(false, true),
  colour: choice('grey', 'colour', 'cmyk', 'ycck'),
  quality: integer(1, 100),
  scan: integer(0, 9),
  times: integer(1, 480),
  shortCodes: choice(false, true),
  data: choice(undefined, 'zeros', 'ones', 'noise'),
  comments: rarely(4_000_000),
  restartInterval: choice(0, 1, 100),
});

const webpGene = record<WebpRecipe>({
  width: integer(1, 3_500),
  height: integer(1, 3_500),
  kind: choice('lossy', 'lossless', 'prefix codes'),
  quality: integer(1, 100),
  effort: integer(0, 2),
  noise: choice(0, 0.1, 0.5, 1),
  colours: choice(256, 64, 16, 4, 2),
  damaged: choice(false, true),
  canvas: size(60_000),
  emptyChunks: rarely(49_000),
});

/** Depths that the other colour types do not have. */
function isValid({ colour, depth }: PngRecipe): boolean {
  return colour === 0 || (colour === 3 ? depth <= 8 : depth >= 8);
}

async function drawPng(recipe: PngRecipe): Promise<Buffer | undefined> {
  const isSmall = rowsBytes(recipe) <= (recipe.noise ? MAX_NOISE : MAX_ROWS);
  return isValid(recipe) && isSmall ? drawCostlyPng(recipe) : undefined;
}

async function drawGif(recipe: GifRecipe): Promise<Buffer | undefined> {
  return recipe.frame.width * recipe.frame.height <= MAX_ROWS ? drawCostlyGif(recipe) : undefined;
}

interface Found {
  readonly format: string;
  readonly ms: number;
  readonly estimate: number;
  readonly bytes: number;
  readonly outcome: string;
  readonly recipe: string;
}

test(`a search for costly files finds none over 1.5 times the limit in ${TRIES} tries`, async () => {
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('bench/worker/decode.js'), store);
  const found: Found[] = [];

  const decode = async (format: string, file: Buffer | undefined, recipe: object) => {
    if (!file || file.length > MAX_BODY_BYTES) return undefined;
    const [side, query] = INPUTS[found.length % INPUTS.length] ?? INPUTS[0];
    const before = cpuMilliseconds(workerd.pid);
    const response = await fetch(`${workerd.url}/${side}/${MAX_DECODE_MS}${query}`, {
      method: 'POST',
      // Drawing the next file can take longer than workerd keeps a connection.
      headers: { connection: 'close' },
      body: Uint8Array.from(file),
    });
    const { estimate, outcome } = Answer.parse(await response.json());
    const ms = Math.round(cpuMilliseconds(workerd.pid) - before);
    const result = { format, ms, estimate: Math.round(estimate), bytes: file.length, outcome };
    found.push({ ...result, recipe: JSON.stringify(recipe) });
    return result;
  };

  /** Two searches: for time, and for time per byte. */
  const search = <Recipe extends object>(
    format: string,
    gene: Gene<Recipe>,
    draw: (recipe: Recipe) => Promise<Buffer | undefined>,
    seed: number,
  ) =>
    [(ms: number) => ms, (ms: number, bytes: number) => ms / (bytes + 1_000)].map((fitness, i) => {
      const climber = new Climber(gene, seeded(SEED + seed + i));
      return () =>
        climber.step(async (recipe) => {
          const result = await decode(format, await draw(recipe), recipe);
          return result ? fitness(result.ms, result.bytes) : -1;
        });
    });

  try {
    const searches = [
      ...search('PNG', pngGene, drawPng, 10),
      ...search('GIF', gifGene, drawGif, 20),
      ...search('JPEG', jpegGene, drawCostlyJpeg, 30),
      ...search('WebP', webpGene, drawCostlyWebp, 40),
    ];
    while (found.length < TRIES) for (const step of searches) await step();
    const worst = found.toSorted((one, other) => other.ms - one.ms).slice(0, WORST);
    console.table(worst);
    for (const [format, files = []] of Object.entries(Object.groupBy(found, (each) => each.format))) {
      const decoded = files.filter(({ outcome }) => outcome === 'decoded').length;
      const slow = files.filter(({ ms }) => ms >= NOTICEABLE);
      const [furthest] = slow.toSorted((one, other) => other.ms / other.estimate - one.ms / one.estimate);
      console.log(`${format}: ${files.length} files, ${decoded} decoded; furthest above its estimate:`, furthest);
    }
    expect(worst.filter(({ ms }) => ms > 1.5 * MAX_DECODE_MS)).toEqual([]);
  } finally {
    await workerd.stop();
    await store.remove();
  }
});
