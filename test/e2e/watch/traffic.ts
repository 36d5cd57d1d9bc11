import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { BINS, toBin } from '../../../src/counted-answer.ts';
import { readLog } from '../../../watch/log.ts';
import { drawPng } from '../../pictures/png.ts';
import { type Random, seeded } from '../../random.ts';
import { tinyRelease } from '../page-models.ts';
import { type RunningWorker, startWorker } from '../wrangler.ts';

/** Pixels a side of the photos. */
const SIZE = 32;
/** Photos that are sent at the same time. */
const TOGETHER = 5;
const VALIDATION_PHOTOS = 2_000;
/** How much brighter photos are after the shift: 0 to 1. */
const HAZE = 0.08;

/** The mean brightness of a photo, 0 to 1: a fifth are bright, the others dark. */
function drawBrightness(random: Random): number {
  const spread = (random() + random() + random() - 1.5) * 0.12;
  return (random() < 0.2 ? 0.65 : 0.35) + spread;
}

/** A photo with a gradient and noise around its brightness. */
function drawPhoto(random: Random, haze: number): Promise<Uint8Array<ArrayBuffer>> {
  const brightness = drawBrightness(random) + haze;
  return drawPng(SIZE, SIZE, (x) => {
    const gradient = (x / (SIZE - 1) - 0.5) * 0.2;
    const value = Math.round(255 * (brightness + gradient + (random() - 0.5) * 0.1));
    return [value, value, value];
  });
}

/** The tiny model's score of a photo of this brightness. */
const scoreOf = (brightness: number) => 1 / (1 + Math.exp(-20 * (brightness - 0.5)));

/** What the manifest says about validation photos. */
function drawBaseline(random: Random) {
  const scores = Array<number>(BINS).fill(0);
  const labels = [0, 0];
  for (let drawn = 0; drawn < VALIDATION_PHOTOS; drawn++) {
    const score = scoreOf(drawBrightness(random));
    scores[toBin(score)] = (scores[toBin(score)] ?? 0) + 1;
    labels[score > 0.5 ? 0 : 1] = (labels[score > 0.5 ? 0 : 1] ?? 0) + 1;
  }
  return { photos: VALIDATION_PHOTOS, scores, labels };
}

/** A real `wrangler dev` that logs its answers, with a model whose manifest carries a baseline. */
export async function startWatched(): Promise<RunningWorker> {
  const release = await tinyRelease('brightness');
  try {
    const path = join(release, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...manifest, baseline: drawBaseline(seeded(1)) }));
    return await startWorker({ release, vars: { ANSWER_LOG: 'on' } });
  } finally {
    await rm(release, { recursive: true });
  }
}

/** Sends photos, the second half of them through a haze if the traffic shifts, and returns the log of their answers. */
export async function sendTraffic(
  worker: RunningWorker,
  photos: number,
  shifts: boolean,
  seed: number,
): Promise<string> {
  const before = worker.logs().length;
  const random = seeded(seed);
  for (let sent = 0; sent < photos; sent += TOGETHER) {
    const haze = shifts && sent >= photos / 2 ? HAZE : 0;
    const bodies = await Promise.all(Array.from({ length: TOGETHER }, () => drawPhoto(random, haze)));
    await Promise.all(bodies.map((body) => send(worker, body)));
  }
  // The log may arrive after the response.
  for (;;) {
    const log = worker.logs().slice(before);
    if ([...readLog(log)].length >= photos) return log;
    await setTimeout(100);
  }
}

async function send(worker: RunningWorker, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const init = { method: 'POST', body, headers: { 'Content-Type': 'image/png' } };
  const response = await fetch(`${worker.url}/api/predict`, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
}

/** Runs `npm run model:watch` on a log, with the bucket of the Worker that wrote it. */
export async function watchLog(worker: RunningWorker, log: string, ...args: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-log-'));
  try {
    const file = join(folder, 'dev.log');
    await writeFile(file, log);
    const command = ['watch/watch.ts', '--log', file, '--persist-to', worker.folder, ...args];
    return await execa(process.execPath, command, { reject: false });
  } finally {
    await rm(folder, { recursive: true });
  }
}
