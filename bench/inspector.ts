import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';

/** Bytes of an isolate's JavaScript: live objects and garbage, and the buffers outside the heap. */
export interface HeapUsage {
  readonly used: number;
  readonly buffers: number;
}

/** workerd answers some of the profiler's commands without a result. */
const Message = z.object({ id: z.number(), result: z.unknown().optional() });

const Usage = z.object({
  usedSize: z.number(),
  embedderHeapUsedSize: z.number(),
  backingStorageSize: z.number(),
});

/** A CPU profile as V8 writes it. */
export const CpuProfile = z.object({
  /** A tree: the first node is the root, `children` are ids. */
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  /** Which node ran at each sample, and the microseconds since the sample before. */
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});
export type CpuProfile = z.infer<typeof CpuProfile>;

/** Milliseconds to wait for an answer, and between two requests that keep a collecting isolate busy. */
const [TIMEOUT, NUDGE] = [20_000, 50];

/** A client of V8's inspector in workerd. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      // Events have no id.
      const message = Message.safeParse(JSON.parse(String(data)));
      if (message.success) this.#waiting.get(message.data.id)?.(message.data.result);
    });
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await once(socket, 'open', { signal: AbortSignal.timeout(TIMEOUT) });
    return new Inspector(socket);
  }

  /**
   * Collects all garbage.
   *
   * @param nudge gives the isolate something to do: it collects in its next turn, and without a request there is none
   */
  async collectGarbage(nudge: () => Promise<unknown>): Promise<void> {
    let done = false;
    const collected = this.#call('HeapProfiler.collectGarbage').finally(() => {
      done = true;
    });
    while (!done) {
      await Promise.race([collected, setTimeout(NUDGE)]);
      if (!done) await nudge();
    }
    await collected;
  }

  /** Excludes wasm memories. */
  async heapUsage(): Promise<HeapUsage> {
    const usage = Usage.parse(await this.#call('Runtime.getHeapUsage'));
    return { used: usage.usedSize + usage.embedderHeapUsedSize, buffers: usage.backingStorageSize };
  }

  /** Profiles the isolate while `work` runs. @param interval microseconds between two samples */
  async profile(interval: number, work: () => Promise<unknown>): Promise<CpuProfile> {
    await this.#call('Profiler.enable');
    await this.#call('Profiler.setSamplingInterval', { interval });
    await this.#call('Profiler.start');
    await work();
    return z.object({ profile: CpuProfile }).parse(await this.#call('Profiler.stop')).profile;
  }

  close(): void {
    this.#socket.close();
  }

  async #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const late = new AbortController();
    try {
      const timeout = setTimeout(TIMEOUT, undefined, { signal: late.signal }).then(() => {
        throw new Error(`The inspector does not answer ${method}`);
      });
      return await Promise.race([answered, timeout]);
    } finally {
      late.abort();
      this.#waiting.delete(id);
    }
  }
}
