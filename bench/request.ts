import http from 'node:http';
import type { Picture } from './pictures.ts';

/** What came back, and how long it took from the first byte sent to the last one received, in milliseconds. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly milliseconds: number;
}

/** Long enough for sixteen photos at once on a machine that is busy with other things. */
const TIMEOUT = 300_000;

/** One client of one service: a connection that is kept open, as a browser's is. */
export class Client {
  readonly #origin: string;
  readonly #agent: http.Agent;

  constructor(origin: string, connections = 1) {
    this.#origin = origin;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, 'GET', {});
  }

  /** @throws {Error} the service breaks the connection or does not answer in five minutes */
  post(path: string, { bytes, type }: Pick<Picture, 'bytes' | 'type'>): Promise<Answer> {
    return this.#send(path, 'POST', { 'Content-Type': type, 'Content-Length': bytes.length }, bytes);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(path: string, method: string, headers: http.OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      const request = http.request(this.#origin + path, { method, headers, agent: this.#agent });
      request.setTimeout(TIMEOUT, () => request.destroy(new Error(`${path} does not answer`)));
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const milliseconds = performance.now() - begun;
          const { statusCode = 0, headers: received } = response;
          resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks), milliseconds });
        });
      });
      request.end(body);
    });
  }
}

/** The score in a good answer. @throws {Error} it is another answer */
export function scoreIn({ status, body }: Answer): number {
  const text = body.toString();
  if (status !== 200) throw new Error(`answered ${status}: ${text.slice(0, 300)}`);
  return Number(JSON.parse(text).score);
}
