import { join } from 'node:path';
import { execa } from 'execa';
import * as z from 'zod';

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

/** Options of `npm run model:convert`. */
export type ConversionOptions = Partial<Record<'input-range' | 'activation' | 'output', string>>;

/** Pillow and Keras in a process of their own, for comparison with the Worker. */
export class PythonReference {
  readonly #process;
  readonly #answers: AsyncIterator<string>;

  /**
   * @param model what was converted: a Keras file, or a zip or folder with one
   * @param release the folder of the version that was converted from it
   * @param options those of the conversion that say how the file differs from what the Worker serves
   */
  constructor(model: string, release: string, options: ConversionOptions = {}) {
    // With `=`, because a range may start with a minus.
    const given = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const manifest = `--manifest=${join(release, 'manifest.json')}`;
    const args = ['scripts/python.ts', 'test/parity/reference.py', model, manifest, ...given];
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
