import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { z } from 'zod';

const Answer = z.union([
  z.object({
    /** base64 of height * width * 3 RGB bytes: Pillow's convert and resize. */
    tensor: z.base64(),
    /** Keras's output for them. */
    score: z.number(),
  }),
  z.object({ error: z.string() }),
]);

export interface Reference {
  readonly rgb: Uint8Array;
  readonly score: number;
}

/** A photo to answer for; with `size`, one that is first enlarged to that size, given grain, and saved to `out`. */
export interface ReferencePhoto {
  readonly file: string;
  readonly size?: readonly [number, number];
  readonly grain?: number;
  readonly quality?: number;
  readonly seed?: number;
  readonly out?: string;
}

/** Pillow and Keras, in a process of their own: what the Worker is compared with. */
export class PythonReference {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  /** @param model the .h5 or .keras file, and the arguments that say how it is fed */
  constructor(model: string) {
    this.#process = spawn(process.execPath, ['scripts/python.ts', 'test/parity/reference.py', model]);
    this.#process.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  async ask(photo: ReferencePhoto): Promise<Reference> {
    this.#process.stdin.write(`${JSON.stringify(photo)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the Python reference ended');
    const answer = Answer.parse(JSON.parse(value));
    if ('error' in answer) throw new Error(`${photo.file}: ${answer.error}`);
    return { rgb: Buffer.from(answer.tensor, 'base64'), score: answer.score };
  }

  close(): void {
    this.#process.stdin.end();
    this.#lines.close();
  }
}
