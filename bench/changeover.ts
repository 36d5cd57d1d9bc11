import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import type { Inspector } from './inspector.ts';
import { Client, textOf } from './request.ts';

/** What an isolate takes at one moment, in bytes. Garbage of JavaScript counts. */
export const StepMemory = z.object({
  /** The step that has just ended. */
  step: z.string(),
  wasm: z.number(),
  heap: z.number(),
  /** `ArrayBuffer`s, which are outside the heap. */
  buffers: z.number(),
});
export type StepMemory = z.infer<typeof StepMemory>;

export const bytesOf = ({ wasm, heap, buffers }: StepMemory): number => wasm + heap + buffers;

const Paused = z.object({ step: z.string().nullable(), wasm: z.number() });

const POLL = 5;

/**
 * Measures an idle isolate before, during and after one changeover of its model: see bench/worker/steps.js. Garbage is
 * collected before, and then only when V8 decides to.
 *
 * @param move moves the channel, and waits until the isolate serves the other version
 */
export async function measureChangeover(
  url: string,
  inspector: Inspector,
  move: () => Promise<unknown>,
): Promise<StepMemory[]> {
  const client = new Client(url);
  const look = async () => Paused.parse(JSON.parse(textOf(await client.get('/bench/step'))));
  const measure = async (step: string, wasm: number): Promise<StepMemory> => {
    const { used: heap, buffers } = await inspector.heapUsage();
    return { step, wasm, heap, buffers };
  };
  await inspector.collectGarbage(() => client.get('/nowhere'));
  const steps = [await measure('before', (await look()).wasm)];
  await client.get('/bench/pause');
  let done = false;
  const moved = move().finally(() => {
    done = true;
  });
  // Awaited below.
  moved.catch(() => {});
  while (!done) {
    const { step, wasm } = await look();
    if (step !== null) {
      steps.push(await measure(step, wasm));
      await client.get('/bench/resume');
    }
    await setTimeout(POLL);
  }
  await client.get('/bench/run');
  await moved;
  return [...steps, await measure('after', (await look()).wasm)];
}
