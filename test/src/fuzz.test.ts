import { env } from 'cloudflare:workers';
import { beforeAll, expect, test, vi } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { heldBytes, idleBytes } from '../../src/image/budget.ts';
import { findCodec } from '../../src/image/codec.ts';
import { codecs } from '../../src/image/codecs.ts';
import { PreparedPhoto } from '../../src/image/prepared-photo.ts';
import { KEPT_BYTES } from '../../src/image/wasm-decoder.ts';
import { runtime } from '../../src/model/worker-runtime.ts';
import { seeded } from '../random.ts';
import { spoil } from './fuzz.ts';
import { brightness, manifestOf } from './model/publish.ts';
import { putVersion } from './model/put-version.ts';
import { heifGrids } from './pictures/heif-grids.ts';
import { pictures, SPEC } from './pictures/pictures.ts';
import { bucket, newService, raw, type Service } from './service.ts';

const FILES = Number(env.FUZZ_FILES);
const SEED = 20_260_101;

let service: Service;

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  service = newService();
});

const valid = [...pictures, ...heifGrids].map(({ bytes }) => bytes);

const send = (bytes: Uint8Array<ArrayBuffer>) => service('/api/predict', raw(bytes, 'application/octet-stream'));

/** Responses to all valid pictures. */
async function predictValid(): Promise<string[]> {
  const answers: string[] = [];
  for (const bytes of valid) answers.push(await (await send(bytes)).text());
  return answers;
}

/** The format of the decoder that receives the file, unless its header is refused. */
function findDecoder(bytes: Uint8Array): string | undefined {
  const codec = findCodec(codecs, bytes);
  if (!codec) return undefined;
  try {
    new PreparedPhoto({ codecs, codec, bytes }, SPEC).makeRoom({ bytes: 40_000_000, milliseconds: 1_500 });
    return codec.format;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

test(`${FILES} spoiled files in one isolate are answered or refused, without lasting effects`, async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const random = seeded(SEED);
  const before = await predictValid();
  // Each format gets the same number of files, however many variants it has.
  const originals = codecs.map((codec) => valid.filter((bytes) => codec.matches(bytes)));
  const reached = Object.fromEntries(codecs.map(({ format }) => [format, 0]));
  const statuses = new Map<number, number>();
  let settled = 0;
  let highest = 0;
  for (let file = 0; file < FILES; file++) {
    const bytes = spoil(random, originals[file % originals.length] ?? []);
    const decoder = findDecoder(bytes);
    if (decoder) reached[decoder] = (reached[decoder] ?? 0) + 1;
    const response = await send(bytes);
    const body = await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.status >= 500) throw new Error(`file ${file}: ${response.status} ${body}`);
    // A decoder that has grown a little is kept until a photo needs its memory.
    expect(idleBytes(codecs)).toBeLessThanOrEqual(2 * KEPT_BYTES);
    const lasting = heldBytes(codecs) - idleBytes(codecs) + runtime.bytes;
    if (file < FILES / 10) settled = Math.max(settled, lasting);
    else highest = Math.max(highest, lasting);
  }
  expect([...statuses.keys()].filter((status) => status !== 200 && (status < 400 || status >= 500))).toEqual([]);
  // Otherwise the test would only exercise headers.
  for (const [decoder, files] of Object.entries(reached)) {
    expect.soft(files, decoder).toBeGreaterThanOrEqual((0.4 * FILES) / codecs.length);
  }
  expect(highest).toBeLessThanOrEqual(settled);
  expect(await predictValid()).toEqual(before);
}, 3_600_000);
