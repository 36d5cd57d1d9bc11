import { readdirSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { measureChangeover, type StepMemory } from '../../bench/changeover.ts';
import { Inspector } from '../../bench/inspector.ts';
import type { Workerd } from '../../bench/workerd.ts';
import { Client } from './client.ts';

/** An isolate's memory, in bytes. */
export interface MemoryPoint {
  /** Kept for good: ONNX Runtime's and photon's memories, which never shrink, and what JavaScript keeps. */
  readonly lasting: number;
  /** The part of it that JavaScript objects take. */
  readonly heap: number;
  readonly onnxruntime: number;
  /** The most in use at once since the previous point: Wasm memories, leases, and what JavaScript keeps. */
  readonly peak: number;
  /** Resident memory of the whole process. */
  readonly rss: number;
}

const Peaks = z.object({ inUse: z.number(), parts: z.record(z.string(), z.number()), together: z.number() });

/** Watches an isolate that counts its own memory: see bench/worker/memory.js. */
export class MemoryWatch {
  readonly #url: string;
  readonly #client: Client;
  readonly #inspector: Inspector;
  readonly #pid: number;

  private constructor(url: string, inspector: Inspector, pid: number) {
    this.#url = url;
    this.#client = new Client(url);
    this.#inspector = inspector;
    this.#pid = pid;
  }

  static async start({ url, inspector = '', pid }: Workerd): Promise<MemoryWatch> {
    const watch = new MemoryWatch(url, await Inspector.connect(inspector), pid);
    await watch.#client.post('/bench/reset', '');
    return watch;
  }

  /** Measures each step while `move` changes the model; the isolate should be idle otherwise. */
  changeover(move: () => Promise<unknown>): Promise<StepMemory[]> {
    return measureChangeover(this.#url, this.#inspector, move);
  }

  /** Measures; the isolate should be idle: a body in flight would count twice, as its lease and as its buffer. */
  async point(): Promise<MemoryPoint> {
    const { inUse, together } = Peaks.parse(await this.#client.json('/bench/peaks'));
    const rss = residentBytes(this.#pid);
    await this.#inspector.collectGarbage(() => this.#client.get('/nowhere'));
    const { used: heap, buffers } = await this.#inspector.heapUsage();
    await this.#client.post('/bench/reset', '');
    const idle = Peaks.parse(await this.#client.json('/bench/peaks')).parts;
    const onnxruntime = idle.onnxruntime ?? 0;
    return {
      lasting: onnxruntime + (idle.photon ?? 0) + heap + buffers,
      heap,
      onnxruntime,
      peak: Math.max(inUse, together) + heap + buffers,
      rss,
    };
  }

  async close(): Promise<void> {
    this.#inspector.close();
    await this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws {Error} the process does not exist, or the system is not Linux */
function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** The number of files and sockets that a process has open. @throws {Error} as `residentBytes` */
export const openHandles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Megabytes, for a table. */
export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
