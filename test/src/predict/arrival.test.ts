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

/** Lets time pass while the body is checked as often as in an isolate that is not busy. */
function pass(arrival: Arrival, milliseconds: number): void {
  for (let left = milliseconds; left > 0; left -= 50) {
    vi.advanceTimersByTime(Math.min(50, left));
    arrival.check();
  }
}

/** Lets a body arrive at this rate in bytes per second, a piece every `pause` milliseconds, for up to a minute. */
function arrive(arrival: Arrival, rate: number, pause: number, bytes: number): void {
  const piece = (rate * pause) / 1000;
  arrival.target = bytes;
  while (arrival.length < bytes) {
    pass(arrival, pause);
    arrival.add(piece);
    if (pause < 1_000) expect(arrival.lateness).toBeLessThan(0);
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
    pass(arrival, 500);
    arrival.add(1);
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
      pass(arrival, 1_000);
      arrival.add(100);
    }
  };
  expect(trickle).toThrow(RequestTimeout);
});

test('of two that stall, the one that holds more is later', () => {
  const [small, large] = [new Arrival(limits), new Arrival(limits)];
  for (const [arrival, target] of [
    [small, 65_537],
    [large, 20_000_000],
  ] as const) {
    arrival.target = target;
    expect(arrival.lateness).toBeLessThan(0);
  }
  for (const arrival of [small, large]) pass(arrival, 3_000);
  expect(small.lateness).toBeGreaterThan(0);
  expect(large.lateness).toBeGreaterThan(small.lateness);
});

test('a body that holds little memory may stall for the grace period before it is late', () => {
  const arrival = new Arrival({ ...limits, idleTimeout: 60_000, minRate: 0 });
  arrival.target = 65_536;
  pass(arrival, limits.grace - 100);
  expect(arrival.lateness).toBeLessThan(0);
  pass(arrival, 100);
  expect(arrival.lateness).toBeGreaterThan(0);
});

test('after a fast start, a body that stalls is late within six seconds', () => {
  const arrival = new Arrival(limits);
  arrival.target = 16_000_000;
  arrival.add(4_000_000);
  pass(arrival, 2_900);
  expect(arrival.lateness).toBeLessThan(0);
  pass(arrival, 3_200);
  expect(arrival.lateness).toBeGreaterThan(0);
});

test('a busy isolate counts against nobody', () => {
  const arrival = new Arrival(limits);
  arrival.target = 1_000_000;
  arrival.add(1);
  for (let time = 0; time < 3 * limits.idleTimeout; time += limits.idleTimeout) {
    vi.advanceTimersByTime(limits.idleTimeout);
    arrival.check();
    expect(arrival.lateness).toBeLessThan(0);
  }
});

test('the clock stands still while the body waits for memory', async () => {
  const arrival = new Arrival(limits);
  arrival.target = 100_000;
  arrival.add(25_000);
  await arrival.pause(
    (async () => {
      await Promise.resolve();
      pass(arrival, 2 * limits.timeout);
      expect(arrival.lateness).toBeLessThan(0);
    })(),
  );
  arrival.check();
  expect(arrival.lateness).toBeLessThan(0);
});
