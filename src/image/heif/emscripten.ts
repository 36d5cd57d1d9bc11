import { MalformedImage } from '../../errors.ts';

/** Thrown in place of C's `longjmp`, C++'s `throw` and `abort`: the decoder has failed, and its instance is unusable. */
class Aborted extends Error {}

export const abort = (): never => {
  throw new Aborted();
};

/** The names that emscripten gave to what every module exports, and to the import that grows its memory. */
export interface ModuleNames {
  readonly memory: string;
  readonly constructors: string;
  readonly malloc: string;
  readonly free: string;
  readonly grow: string;
  /** The import that writes to a file descriptor: WASI's `fd_write`. */
  readonly write: string;
  /** The import that copies memory, if any. */
  readonly copy?: string;
}

type Import = (...values: number[]) => number;

const PAGE_BYTES = 65_536;

/** WASI's error number for a bad file descriptor. */
const EBADF = 8;

/**
 * Discards what a module prints. It must report an error: after a success that leaves the number of written bytes unset,
 * the C library retries, possibly without end.
 */
const write: Import = () => EBADF;

/**
 * An instance of a module that emscripten has built. Emscripten shortens names, so callers look them up in the
 * package's JavaScript, which is not used: it would be parsed on every start, and grows the memory by more than needed.
 */
export class EmscriptenInstance {
  readonly #exports: WebAssembly.Exports;
  readonly #names: ModuleNames;
  readonly #memory: WebAssembly.Memory;
  #exhausted = false;

  /**
   * @param imports functions that the module needs; all others do nothing and return 0
   * @param maxBytes to which the memory may grow: what was budgeted
   */
  constructor(
    module: WebAssembly.Module,
    names: ModuleNames,
    imports: Readonly<Record<string, Import>>,
    maxBytes: number,
  ) {
    const grow: Import = (size = 0) => {
      const bytes = size >>> 0;
      if (bytes > Math.max(maxBytes, this.bytes)) {
        this.#exhausted = true;
        return 0;
      }
      this.#memory.grow(Math.ceil((bytes - this.bytes) / PAGE_BYTES));
      return 1;
    };
    const copy: Import = (to = 0, from = 0, length = 0) => {
      new Uint8Array(this.#memory.buffer).copyWithin(to, from, from + length);
      return to;
    };
    const linked = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, (): number => 0]));
    const own = { [names.grow]: grow, [names.write]: write, ...(names.copy && { [names.copy]: copy }) };
    const instance = new WebAssembly.Instance(module, { a: { ...linked, ...imports, ...own } });
    this.#exports = instance.exports;
    this.#names = names;
    const memory = this.#exports[names.memory];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('The module exports no memory.');
    this.#memory = memory;
    this.call(names.constructors);
  }

  /** Whether the module wanted more memory than was budgeted. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** The memory at this moment: growing it detaches the buffer. */
  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  /** Calls an exported function. */
  call(name: string, ...values: number[]): number {
    const target = this.#exports[name];
    if (typeof target !== 'function') throw new Error(`The module exports no function ${name}.`);
    return Number(target(...values));
  }

  /** Calls a function of an exported table. */
  callIndirect(table: string, index: number, ...values: number[]): number {
    const functions = this.#exports[table];
    if (!(functions instanceof WebAssembly.Table)) throw new Error(`The module exports no table ${table}.`);
    return Number(functions.get(index)(...values));
  }

  /** Reads a 32-bit integer. */
  word(at: number): number {
    return new DataView(this.buffer).getUint32(at, true);
  }

  /** Reserves memory; it throws `MalformedImage` if there is none. */
  allocate(size: number): number {
    const pointer = this.call(this.#names.malloc, size);
    if (pointer === 0) throw new MalformedImage('The photo needs too much memory.');
    return pointer;
  }

  free(pointer: number): void {
    this.call(this.#names.free, pointer);
  }

  /** Copies `parts` into the memory, one after the other, and returns their address. */
  copyIn(parts: readonly Uint8Array[]): number {
    const pointer = this.allocate(parts.reduce((sum, part) => sum + part.length, 0));
    const memory = new Uint8Array(this.buffer);
    let at = pointer;
    for (const part of parts) {
      memory.set(part, at);
      at += part.length;
    }
    return pointer;
  }
}

/** Runs a decoder. What a failing module throws becomes `MalformedImage`. */
export function catchFailures<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof Aborted || error instanceof WebAssembly.RuntimeError) {
      throw new MalformedImage('The photo is damaged.', { cause: error });
    }
    throw error;
  }
}
