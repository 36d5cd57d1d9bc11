import { afterEach, expect, test, vi } from 'vitest';
import { Turns } from '../../../src/predict/turns.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Starts to wait, and notes the name in `order` when the turn comes. */
const noting = (order: string[]) => async (name: string, waiting: Promise<void>) => {
  await waiting;
  order.push(name);
};

test('a short photo alone does not wait', async () => {
  const wait = vi.spyOn(scheduler, 'wait');
  await new Turns().join().take(40);
  expect(wait).not.toHaveBeenCalled();
});

test('long work and every later photo of a batch let other requests run', async () => {
  const turns = new Turns();
  const [long, batch] = [turns.join(), turns.join()];
  await batch.take(40);
  for (const take of [() => long.take(1_000), () => batch.take(40), () => batch.yield()]) {
    let others = 0;
    setTimeout(() => others++, 0);
    await take();
    expect(others).toBe(1);
  }
});

test('the request that will have taken the least goes first, in whatever order they wait', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const note = noting(order);
  const [batch, single] = [turns.join(), turns.join()];
  await batch.take(1_000);
  await Promise.all([note('batch', batch.take(1_000)), note('single', single.take(1_500))]);
  expect(order).toEqual(['single', 'batch']);
  await Promise.all([note('batch', batch.yield()), note('single', single.yield())]);
  expect(order).toEqual(['single', 'batch', 'single', 'batch']);
});

test('a request that the platform has cancelled does not hold up others for long', async () => {
  const turns = new Turns();
  vi.spyOn(scheduler, 'wait').mockImplementationOnce(() => new Promise(() => {}));
  void turns.join().take(100);
  await turns.join().take(1_000);
});

test('a stream of short photos does not starve a long one', async () => {
  const turns = new Turns(50);
  let over = false;
  const short = turns.join();
  const stream = (async () => {
    while (!over) await short.yield();
  })();
  const others = (async () => {
    const second = turns.join();
    while (!over) await second.yield();
  })();
  await turns.join().take(1_000);
  over = true;
  await Promise.all([stream, others]);
});

test('a request keeps its place while another keeps the isolate busy', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const turns = new Turns(60_000);
  const order: string[] = [];
  const note = noting(order);
  const [batch, single] = [turns.join(), turns.join()];
  // The timer of the batch is the first to fire.
  const waiting = [note('batch', batch.take(2_000)), note('single', single.take(1_000))];
  vi.advanceTimersByTime(1_500);
  await Promise.all(waiting);
  expect(order).toEqual(['single', 'batch']);
});

test('the more requests wait, the less often each checks', async () => {
  const turns = new Turns();
  const wait = vi.spyOn(scheduler, 'wait').mockReturnValue(new Promise(() => {}));
  for (let i = 0; i < 400; i++) void turns.join().take(100);
  wait.mockRestore();
  const pauses = vi.spyOn(scheduler, 'wait');
  await turns.join().take(1_000);
  expect(pauses.mock.calls[1]?.[0]).toBeGreaterThan(20);
});

test('of requests with as much work, one works at a time', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const work = async (name: string) => {
    const turn = turns.join();
    await turn.take(1_000);
    for (let piece = 0; piece < 3; piece++) {
      order.push(name);
      await turn.yield();
    }
  };
  await Promise.all(['first', 'second', 'third'].map(work));
  expect(order).toEqual(['first', 'second', 'third'].flatMap((name) => [name, name, name]));
});

test('the isolate is idle for a moment before each piece of long work, also where one follows another', async () => {
  const turns = new Turns();
  const events: (number | undefined | 'begins')[] = [];
  const wait = scheduler.wait.bind(scheduler);
  vi.spyOn(scheduler, 'wait').mockImplementation((pause) => {
    events.push(pause);
    return wait(pause);
  });
  const work = async () => {
    await turns.join().take(1_000);
    events.push('begins');
  };
  await Promise.all([work(), work(), work()]);
  for (let from = 0, to = events.indexOf('begins'); to >= 0; to = events.indexOf('begins', from)) {
    expect(events.slice(from, to)).toContain(20);
    from = to + 1;
  }
});

test('requests that have given way for long go out of turn one after the other', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const turns = new Turns(0);
  const wait = vi.spyOn(scheduler, 'wait').mockReturnValueOnce(new Promise(() => {}));
  void turns.join().take(100);
  wait.mockRestore();
  const order: string[] = [];
  const note = noting(order);
  const waiting = [1, 2, 3].map((i) => note(`${i}`, turns.join().take(1_000)));
  await scheduler.wait(50);
  expect(order).toHaveLength(1);
  vi.useRealTimers();
  await Promise.all(waiting);
});
