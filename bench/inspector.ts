import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';

/** Bytes of an isolate's JavaScript: objects in use, the heap reserved for them, and the buffers outside of it. */
export interface HeapUsage {
  readonly used: number;
  readonly reserved: number;
  readonly buffers: number;
}

/** workerd answers some commands of the profiler without a result. */
const Message = z.object({ id: z.number(), result: z.unknown().optional() });

const Usage = z.object({
  usedSize: z.number(),
  totalSize: z.number(),
  embedderHeapUsedSize: z.number(),
  backingStorageSize: z.number(),
});

const TIMEOUT = 20_000;
const NUDGE = 50;

/** What V8's CPU profiler has seen: calls as a tree, and where in it the isolate was at each sample. */
export const CpuProfile = z.object({
  /** A tree: the first is the root, `children` are others' ids. */
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  /** Which node was running, and the microseconds since the sample before. */
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

export type CpuProfile = z.infer<typeof CpuProfile>;

/** Asks an isolate's V8 by the inspector's protocol. It answers between two turns of the isolate, not in the middle of one. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = Message.safeParse(JSON.parse(String(data)));
      if (message.success) this.#waiting.get(message.data.id)?.(message.data.result);
    });
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await inTime('The inspector cannot be reached.', (resolve, reject) => {
      socket.addEventListener('open', () => resolve(undefined));
      socket.addEventListener('error', () => reject(new Error('The inspector refuses.')));
    });
    return new Inspector(socket);
  }

  /**
   * Has everything collected that nobody uses.
   *
   * @param nudge gives the isolate something to do: it collects at its next turn, so without one it never would
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

  /** Wasm memories are not in it. */
  async heapUsage(): Promise<HeapUsage> {
    const { usedSize, totalSize, embedderHeapUsedSize, backingStorageSize } = Usage.parse(
      await this.#call('Runtime.getHeapUsage'),
    );
    return { used: usedSize + embedderHeapUsedSize, reserved: totalSize, buffers: backingStorageSize };
  }

  /**
   * Profiles the isolate while `work` runs.
   *
   * @param interval microseconds from one sample to the next
   */
  async profile(interval: number, work: () => Promise<void>): Promise<CpuProfile> {
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
    try {
      return await inTime(`${method} is not answered.`, (resolve) => {
        this.#waiting.set(id, resolve);
        this.#socket.send(JSON.stringify({ id, method, params }));
      });
    } finally {
      this.#waiting.delete(id);
    }
  }
}

async function inTime(
  late: string,
  begin: (resolve: (value: unknown) => void, reject: (error: Error) => void) => void,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      timer = globalThis.setTimeout(() => reject(new Error(late)), TIMEOUT);
      begin(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}
