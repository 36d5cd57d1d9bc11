import { execa } from 'execa';
import * as z from 'zod';
import type { Manifest } from '../../src/model/manifest.ts';

const Answer = z.union([
  z.object({
    /** base64 of height * width * channels bytes: Pillow's conversion and resize. */
    tensor: z.base64(),
    /** Keras's outputs. */
    scores: z.array(z.number()).min(1),
  }),
  z.object({ error: z.string() }),
]);

export interface Reference {
  readonly bytes: Uint8Array;
  readonly scores: readonly number[];
}

/** A photo to predict. With `size`, it is first enlarged to that size, given grain, and saved to `out`. */
export interface ReferencePhoto {
  readonly file: string;
  readonly size?: readonly [number, number];
  readonly grain?: number;
  readonly quality?: number;
  readonly seed?: number;
  readonly out?: string;
}

/** Pillow and Keras in a process of their own, for comparison with the Worker. */
export class PythonReference {
  readonly #process;
  readonly #answers: AsyncIterator<string>;

  /**
   * @param model the .h5 or .keras file
   * @param input what the Worker makes of photos
   * @param range the range of the values that the file wants
   */
  constructor(model: string, input: Manifest['input'], range: string) {
    const { color, resampling, resize = 'squeeze' } = input;
    // With `=`, because a range may start with a minus.
    const options = [`--color=${color}`, `--resampling=${resampling}`, `--resize=${resize}`, `--input-range=${range}`];
    const args = ['scripts/python.ts', 'test/parity/reference.py', model, ...options];
    this.#process = execa(process.execPath, args, { stderr: 'inherit', buffer: false, reject: false });
    this.#answers = this.#process.iterable()[Symbol.asyncIterator]();
  }

  async predict(photo: ReferencePhoto): Promise<Reference> {
    this.#process.stdin.write(`${JSON.stringify(photo)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('The Python reference ended.');
    const answer = Answer.parse(JSON.parse(value));
    if ('error' in answer) throw new Error(`${photo.file}: ${answer.error}`);
    return { bytes: Buffer.from(answer.tensor, 'base64'), scores: answer.scores };
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#process;
  }
}
