import type { Picture } from './pictures.ts';

/** A response, and the milliseconds from the start of the request to the last byte received. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly milliseconds: number;
}

/** A client of one service. Connections stay open, as a browser's do. */
export class Client {
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, {});
  }

  post(path: string, { bytes, type }: Pick<Picture, 'bytes' | 'type'>): Promise<Answer> {
    return this.#send(path, { method: 'POST', headers: { 'Content-Type': type }, body: bytes });
  }

  async #send(path: string, init: RequestInit): Promise<Answer> {
    const started = performance.now();
    const response = await fetch(this.#origin + path, init);
    const body = Buffer.from(await response.arrayBuffer());
    return { status: response.status, body, milliseconds: performance.now() - started };
  }
}

/** The body of a successful answer, as text. @throws {Error} the status is not 200 */
export function textOf({ status, body }: Answer): string {
  if (status !== 200) throw new Error(`answered ${status}: ${body.toString().slice(0, 300)}`);
  return body.toString();
}
