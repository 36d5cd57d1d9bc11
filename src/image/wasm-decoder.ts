import { MalformedImage } from '../errors.ts';
import type { IdleMemory } from './codec.ts';
import { discarded } from './garbage.ts';

/** What every C decoder exports. */
export interface CExports {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(pointer: number): void;
}

/** Thrown in place of C's `longjmp`: the decoder has given up and its instance is no longer usable. */
export class LongJump extends Error {}

/** A C decoder's own data, stack and tables. */
export const INSTANCE_BYTES = 400_000;

/** An instance that has grown beyond this is dropped after use, since wasm memory never shrinks. */
export const KEPT_BYTES = 8 * 1024 * 1024;

const unavailable = () => {
  throw new LongJump();
};

/** The few imports that the decoders link but need only to print or exit. */
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
 * A C decoder compiled to wasm. Its instance is kept between photos while it is small and healthy; after an error
 * of any kind, or once it has grown, the next photo gets a new one.
 */
export class WasmDecoder<Exports extends CExports> implements IdleMemory {
  readonly #module: WebAssembly.Module;
  #idle: Exports | undefined;
  #lastBytes = 0;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Bytes of wasm memory held between photos. */
  get heldBytes(): number {
    return this.#idle?.memory.buffer.byteLength ?? 0;
  }

  /** Bytes of wasm memory that the latest photo took: its peak, as memory only grows. */
  get lastBytes(): number {
    return this.#lastBytes;
  }

  /** Lets go of the instance and so of its memory. */
  drop(): void {
    const bytes = this.heldBytes;
    this.#idle = undefined;
    discarded(bytes);
  }

  /** Runs `work` on an instance; a trap or `longjmp` inside becomes `MalformedImage`. */
  use<Result>(work: (wasm: Exports) => Result): Result {
    try {
      return this.#run(work);
    } catch (error) {
      if (error instanceof LongJump || error instanceof WebAssembly.RuntimeError) {
        throw new MalformedImage('The photo is damaged.', { cause: error });
      }
      throw error;
    } finally {
      if (!this.#idle) discarded(this.#lastBytes);
    }
  }

  /** Keeps the instance if it has come through well. */
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

  /** The one place where the exports are taken at their word. */
  #instantiate(): Exports {
    return new WebAssembly.Instance(this.#module, IMPORTS).exports as unknown as Exports;
  }
}

/** `malloc` that answers `MalformedImage` instead of 0. */
export function allocate(wasm: CExports, size: number): number {
  const pointer = wasm.malloc(size);
  if (pointer === 0) throw new MalformedImage('The photo needs more memory than there is.');
  return pointer;
}

/** Copies `parts` into the decoder's memory, one behind the other. */
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
