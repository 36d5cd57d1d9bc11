import { MalformedImage } from '../errors.ts';
import type { IdleMemory } from './codec.ts';
import { countGarbage } from './garbage.ts';

/** Exports of every C decoder. */
export interface CExports {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(pointer: number): void;
}

/** Thrown in place of C's `longjmp`: the decoder has failed, and its instance is unusable. */
class LongJump extends Error {}

/** Memory of a fresh instance: data, stack and tables. */
export const INSTANCE_BYTES = 400_000;

/** Larger instances are dropped after use, since wasm memory never shrinks. */
export const KEPT_BYTES = 8 * 1024 * 1024;

const unavailable = () => {
  throw new LongJump();
};

/** Imports that the decoders link but use only to print or exit. */
const IMPORTS = {
  env: { setjmp: () => 0, longjmp: unavailable },
  wasi_snapshot_preview1: {
    environ_sizes_get: () => 0,
    environ_get: () => 0,
    proc_exit: unavailable,
    fd_close: () => 0,
    fd_seek: () => 0,
    fd_write: unavailable,
  },
};

/**
 * A C decoder compiled to wasm. It keeps its instance between photos while the instance is small and healthy. After an
 * error, or once the instance has grown, the next photo gets a new one.
 */
export class WasmDecoder<Exports extends CExports> implements IdleMemory {
  readonly #module: WebAssembly.Module;
  #idle: Exports | undefined;
  #lastBytes = 0;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Wasm memory in bytes held between photos. */
  get heldBytes(): number {
    return this.#idle?.memory.buffer.byteLength ?? 0;
  }

  /** Peak wasm memory in bytes of the latest photo. */
  get lastBytes(): number {
    return this.#lastBytes;
  }

  /** Drops the instance and its memory. */
  drop(): void {
    const bytes = this.heldBytes;
    this.#idle = undefined;
    countGarbage(bytes);
  }

  /** Runs `work` on an instance. A trap or `longjmp` becomes `MalformedImage`. */
  use<Result>(work: (wasm: Exports) => Result): Result {
    try {
      return this.#run(work);
    } catch (error) {
      if (error instanceof LongJump || error instanceof WebAssembly.RuntimeError) {
        throw new MalformedImage('The photo is damaged.', { cause: error });
      }
      throw error;
    } finally {
      if (!this.#idle) countGarbage(this.#lastBytes);
    }
  }

  /** Keeps the instance if `work` succeeds. */
  #run<Result>(work: (wasm: Exports) => Result): Result {
    const wasm = this.#idle ?? this.#instantiate();
    this.#idle = undefined;
    let result: Result;
    try {
      result = work(wasm);
    } finally {
      this.#lastBytes = wasm.memory.buffer.byteLength;
    }
    if (this.#lastBytes <= KEPT_BYTES) this.#idle = wasm;
    return result;
  }

  /** The only cast: TypeScript cannot know a module's exports. */
  #instantiate(): Exports {
    return new WebAssembly.Instance(this.#module, IMPORTS).exports as unknown as Exports;
  }
}

/** Calls `malloc` and throws `MalformedImage` if it fails. */
export function allocate(wasm: CExports, size: number): number {
  const pointer = wasm.malloc(size);
  if (pointer === 0) throw new MalformedImage('The photo needs too much memory.');
  return pointer;
}

/** Copies `parts` into the decoder's memory, one after the other, and returns their address. */
export function copyIn(wasm: CExports, parts: readonly Uint8Array[]): number {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const pointer = allocate(wasm, size);
  const memory = new Uint8Array(wasm.memory.buffer, pointer, size);
  let at = 0;
  for (const part of parts) {
    memory.set(part, at);
    at += part.length;
  }
  return pointer;
}
