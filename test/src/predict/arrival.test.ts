import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { RequestTimeout } from '../../../src/errors.ts';
import { Arrival } from '../../../src/predict/arrival.ts';
import { createUploadLimits } from '../../../src/predict/upload.ts';

const limits = createUploadLimits(parseConfig({}), 20_000_000);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets a body arrive at this rate in bytes per second, a piece every `pause` milliseconds, for up to a minute. */
function arrive(arrival: Arrival, rate: number, pause: number, bytes: number): void {
  const piece = (rate * pause) / 1000;
  arrival.target = bytes;
  while (arrival.length < bytes) {
    vi.advanceTimersByTime(pause);
    arrival.check();
    arrival.add(piece);
    arrival.check();
    expect(arrival.lateness).toBeLessThan(0);
  }
}

test('a phone that sends 500 KB at 100 kbit/s is never too slow', () => {
  arrive(new Arrival(limits), 12_500, 100, 500_000);
});

test('nor is one whose connection stalls for seconds at a time', () => {
  arrive(new Arrival(limits), 12_500, 6_000, 500_000);
});

test('a byte now and then is too slow after the grace period, and not before', () => {
  const arrival = new Arrival(limits);
  const trickle = () => {
    vi.advanceTimersByTime(500);
    arrival.add(1);
    arrival.check();
  };
  for (let time = 500; time < limits.grace; time += 500) trickle();
  trickle();
  expect(trickle).toThrow(RequestTimeout);
});

test('a fast start does not make up for a trickle', () => {
  const arrival = new Arrival(limits);
  arrival.add(5_000_000);
  const trickle = () => {
    for (let time = 0; time < 3 * limits.grace; time += 1_000) {
      vi.advanceTimersByTime(1_000);
      arrival.add(100);
      arrival.check();
    }
  };
  expect(trickle).toThrow(RequestTimeout);
});

test('of two that stall, the one that holds more is later', () => {
  const [small, large] = [new Arrival(limits), new Arrival(limits)];
  for (const [arrival, target] of [
    [small, 65_536],
    [large, 20_000_000],
  ] as const) {
    arrival.target = target;
    expect(arrival.lateness).toBeLessThan(0);
  }
  vi.advanceTimersByTime(3_000);
  expect(small.lateness).toBeGreaterThan(0);
  expect(large.lateness).toBeGreaterThan(small.lateness);
});

test('the clock stands still while the body waits for memory', async () => {
  const arrival = new Arrival(limits);
  arrival.target = 100_000;
  arrival.add(25_000);
  await arrival.pause(
    (async () => {
      await Promise.resolve();
      vi.advanceTimersByTime(2 * limits.timeout);
      arrival.check();
      expect(arrival.lateness).toBeLessThan(0);
    })(),
  );
  arrival.check();
  expect(arrival.lateness).toBeLessThan(0);
});
