import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { PhotoMemory } from '../../../src/memory.ts';
import { Turn } from '../../../src/predict/turns.ts';
import { encodePng, solidPng } from '../../pictures/png.ts';
import { brightness, manifestOf } from '../model/publish.ts';
import { putVersion } from '../model/put-version.ts';
import { bucket, newService, raw, type Service } from '../service.ts';

let service: Service;
let small: Uint8Array<ArrayBuffer>;
/** Takes several pieces of work. */
let large: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  small = await solidPng([255, 255, 255]);
  const [width, height] = [4000, 1500];
  large = await encodePng(width, height, new Uint8Array(height * (1 + 3 * width)));
  service = newService();
  expect((await service('/api/predict', raw(small))).status).toBe(200);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a photo that is decoded slowly, in turns with others, keeps its memory', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const lease = vi.spyOn(PhotoMemory.prototype, 'lease');
  const held: number[] = [];
  vi.spyOn(Turn.prototype, 'yield').mockImplementation(async () => {
    vi.advanceTimersByTime(15_000);
    const [memory] = lease.mock.contexts;
    held.push(memory instanceof PhotoMemory ? memory.usedBytes : 0);
  });
  expect((await service('/api/predict', raw(large))).status).toBe(200);
  expect(held.length).toBeGreaterThan(3);
  expect(new Set(held).size).toBe(1);
  expect(held[0]).toBeGreaterThan(large.length);
});

test('a batch lets other requests run between the headers of its photos', async () => {
  const yields = vi.spyOn(Turn.prototype, 'yield');
  const body = new FormData();
  for (let i = 0; i < 5; i++) body.append('file', new File([small], 'photo.png'));
  expect((await service('/api/predict', { method: 'POST', body })).status).toBe(200);
  expect(yields).toHaveBeenCalledTimes(4);
});
