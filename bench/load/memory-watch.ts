import * as z from 'zod';
import { Inspector } from '../inspector.ts';
import type { MemoryPoint } from '../reports/soak.ts';
import { Connection } from './exchange.ts';
import { residentBytes } from './process.ts';

const Peaks = z.object({
  all: z.number(),
  inUse: z.number(),
  parts: z.record(z.string(), z.number()),
  leased: z.number(),
});

/** Looks at the memory of an isolate that counts its own (bench/worker/memory.js). */
export class MemoryWatch {
  readonly #connection: Connection;
  readonly #inspector: Inspector;
  readonly #pid: number;

  private constructor(connection: Connection, inspector: Inspector, pid: number) {
    this.#connection = connection;
    this.#inspector = inspector;
    this.#pid = pid;
  }

  static async begin(url: string, inspector: string, pid: number): Promise<MemoryWatch> {
    const watch = new MemoryWatch(new Connection(url), await Inspector.connect(inspector), pid);
    await watch.#reset();
    return watch;
  }

  /** The state of things now; nothing else should be going on. */
  async point(requests: number): Promise<MemoryPoint> {
    const before = await this.#inspector.heapUsage();
    const { all, inUse, parts, leased } = Peaks.parse(await this.#ask('/bench/peaks'));
    const rss = residentBytes(this.#pid);
    await this.#inspector.collectGarbage(() => this.#connection.send({ method: 'GET', path: '/nowhere' }));
    const { used, buffers } = await this.#inspector.heapUsage();
    await this.#reset();
    const idle = Peaks.parse(await this.#ask('/bench/peaks'));
    const decoders = (parts.jpeg ?? 0) + (parts.webp ?? 0);
    return {
      requests,
      parts: idle.parts,
      heap: used,
      buffers,
      peak: inUse + Math.max(0, leased - decoders) + used + buffers,
      peakWithGarbage: all + Math.max(before.used + before.buffers, leased - decoders + used + buffers),
      rss,
    };
  }

  end(): void {
    this.#inspector.close();
    this.#connection.close();
  }

  async #reset(): Promise<void> {
    await this.#connection.send({ method: 'POST', path: '/bench/reset', body: Buffer.alloc(0) });
  }

  async #ask(path: string): Promise<unknown> {
    return JSON.parse((await this.#connection.send({ method: 'GET', path })).body.toString());
  }
}

/** By how much the values rise from the first to the last, on the straight line that fits them best. */
export function rise(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [covariance, variance] = [0, 0];
  for (const [i, value] of values.entries()) {
    covariance += (i - middle) * (value - mean);
    variance += (i - middle) ** 2;
  }
  return variance === 0 ? 0 : (covariance / variance) * (values.length - 1);
}
