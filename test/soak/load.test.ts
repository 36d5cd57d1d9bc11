import { createHistogram } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpuMilliseconds } from '../../bench/cpu.ts';
import { bundle, createStore, type Store, startWorkerd, type Workerd } from '../../bench/workerd.ts';
import { Client } from './client.ts';
import { judge, keyOf } from './judge.ts';
import { type Photo, pickPhotos } from './photos.ts';
import { upload } from './requests.ts';

const REQUESTS = 96;
const WARM_UP = 16;
/** Enough 12 megapixel photos at once to fill an isolate's memory. */
const CROWD = 64;
const ALLOWED = { allowed: ['200'] };

let store: Store;
let workerd: Workerd;
let photos: Photo[];

beforeAll(async () => {
  photos = await pickPhotos('JPEG 512 px', 'PNG 800 px', 'JPEG 12 MP');
  store = await createStore();
  workerd = await startWorkerd(await bundle('src/index.ts'), store);
});
afterAll(async () => {
  await workerd?.stop();
  await store?.remove();
});

/** Sends a photo over and over from many clients. Each answer must be the one that the idle service gives, or a refusal. */
async function send(photo: Photo, clients: number, requests: number) {
  const latency = createHistogram();
  const verdicts: Record<string, number> = {};
  await using first = new Client(workerd.url);
  const idle = await first.send(upload(photo));
  const reference = { key: keyOf(idle), body: idle.body.toString() };
  expect(reference.key).toBe('200');
  let left = requests;
  const [begun, cpu] = [performance.now(), cpuMilliseconds(workerd.pid)];
  const sendAll = async () => {
    await using client = new Client(workerd.url);
    while (left-- > 0) {
      const sent = performance.now();
      const verdict = judge(await client.send(upload(photo)), ALLOWED, reference);
      if (verdict === '200') latency.record(Math.max(1, Math.round(performance.now() - sent)));
      const key = typeof verdict === 'string' ? verdict : verdict.wrong;
      verdicts[key] = (verdicts[key] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, sendAll));
  const seconds = (performance.now() - begun) / 1000;
  const { '200': answered = 0, busy = 0, ...wrong } = verdicts;
  expect(wrong).toEqual({});
  expect(answered + busy).toBe(requests);
  return {
    photo: photo.name,
    'at once': clients,
    'median / p95 / p99, ms': [50, 95, 99].map((share) => latency.percentile(share)).join(' / '),
    'requests/s': (answered / seconds).toFixed(1),
    'CPU, ms': ((cpuMilliseconds(workerd.pid) - cpu) / answered).toFixed(1),
    refused: busy,
  };
}

test('many clients at once: no answer is lost or wrong', async () => {
  const rows = [];
  for (const photo of photos) {
    for (const clients of [1, 4, 16]) {
      await send(photo, clients, WARM_UP);
      rows.push(await send(photo, clients, REQUESTS));
    }
  }
  console.table(rows);
});

test('more photos than there is memory for: the rest is refused and told when to return', async () => {
  for (const photo of photos.filter(({ name }) => name === 'JPEG 12 MP')) {
    const row = await send(photo, CROWD, CROWD);
    console.table([row]);
    expect(row.refused).toBeGreaterThan(0);
    await send(photo, 1, 1);
  }
});
