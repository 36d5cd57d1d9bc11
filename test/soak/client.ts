import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { Client as Connection, type Dispatcher } from 'undici';

export interface Outgoing {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /**
   * The service refuses the body before its end and closes the connection, so the answer can be lost with the bytes that
   * are still in flight (RFC 9112, section 9.6). Unless the body is sent in chunks, the client holds most of it back
   * until the answer arrives, as with `Expect: 100-continue`; it repeats a request whose answer is lost.
   */
  readonly refusedEarly?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a body is sent. Times are in milliseconds; shares of the body range from 0 to 1. */
export type Manner =
  | { readonly kind: 'whole' }
  /** Without Content-Length. */
  | { readonly kind: 'chunked' }
  | { readonly kind: 'trickled'; readonly pieces: number; readonly pause: number }
  /** Sends a part and then nothing, but keeps the connection open. */
  | { readonly kind: 'stalled'; readonly share: number }
  /** Sends a part and then destroys the connection. */
  | { readonly kind: 'cut'; readonly share: number; readonly after: number };

/** The client destroyed the connection on purpose. */
export const CUT = Symbol('cut');

/** A client that writes a large body in one piece misses an answer that arrives before the end of it. */
const PIECE = 131_072;
/** Sent before the rest is held back: less than the 64 KiB that workerd reads of a refused body before it closes. */
const OPENING = 16_384;
const HOLD_BACK_LIMIT = 10_000;
const TRIES = 5;
/** Longer than any of the Worker's own time limits, even where other processes keep the machine busy. */
const TIMEOUT = 600_000;
const CLOSED = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

/** A client with one connection, which it keeps open between requests. */
export class Client {
  readonly #connection: Connection;
  /** Whether the present connection has answered a request. */
  #used = false;

  constructor(origin: string) {
    this.#connection = new Connection(origin);
    this.#connection.on('connect', () => {
      this.#used = false;
    });
  }

  /** @throws {Error} the service closes the connection, or does not answer in time */
  send(outgoing: Outgoing, manner?: Exclude<Manner, { kind: 'cut' }>): Promise<Answer>;
  send(outgoing: Outgoing, manner: Manner): Promise<Answer | typeof CUT>;
  async send(outgoing: Outgoing, manner: Manner = { kind: 'whole' }): Promise<Answer | typeof CUT> {
    const { body, refusedEarly = false, headers = {} } = outgoing;
    const length = body && manner.kind !== 'chunked' ? { ...headers, 'Content-Length': `${body.length}` } : headers;
    for (let tries = refusedEarly ? TRIES : 1; ; ) {
      const answered = new AbortController();
      const bytes = body && body.length > 0 ? write(outgoing, body, manner, answered.signal) : undefined;
      const request = { ...outgoing, headers: length, ...(bytes && { body: Readable.from(bytes) }) };
      try {
        const answer = await exchange(this.#connection, request, () => answered.abort());
        this.#used = true;
        return answer;
      } catch (error) {
        if (manner.kind === 'cut') return CUT;
        if (!isClosed(error)) throw error;
        // A server may close an idle connection just as the next request arrives (RFC 9110, section 9.2.2).
        if (!this.#used && --tries === 0) throw error;
        this.#used = false;
      } finally {
        answered.abort();
      }
    }
  }

  get(path: string): Promise<Answer> {
    return this.send({ method: 'GET', path });
  }

  /** Reads a JSON document. */
  async json(path: string): Promise<unknown> {
    return JSON.parse((await this.get(path)).body.toString());
  }

  post(path: string, body: Buffer | string, type = 'application/json'): Promise<Answer> {
    return this.send({ method: 'POST', path, headers: { 'Content-Type': type }, body: Buffer.from(body) });
  }

  async close(): Promise<void> {
    await this.#connection.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Sends requests on one connection without waiting for the answers (RFC 9112, section 9.3.2). An answer is undefined where
 * the service closed the connection before it.
 */
export async function pipeline(origin: string, requests: readonly Outgoing[]): Promise<(Answer | undefined)[]> {
  const connection = new Connection(origin, { pipelining: requests.length });
  try {
    const sent = requests.map((request) =>
      exchange(connection, { ...request, idempotent: true, blocking: false }).catch((error: unknown) => {
        if (isClosed(error)) return undefined;
        throw error;
      }),
    );
    return await Promise.all(sent);
  } finally {
    await connection.destroy();
  }
}

async function exchange(
  connection: Connection,
  request: Dispatcher.RequestOptions,
  onHeaders?: () => void,
): Promise<Answer> {
  const options = { ...request, signal: AbortSignal.timeout(TIMEOUT) };
  const { statusCode, headers, body } = await connection.request(options);
  onHeaders?.();
  return { status: statusCode, headers, body: Buffer.from(await body.arrayBuffer()) };
}

const isClosed = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && CLOSED.includes(String(error.code));

function write({ refusedEarly }: Outgoing, body: Buffer, manner: Manner, answered: AbortSignal) {
  switch (manner.kind) {
    case 'whole':
      return refusedEarly ? writeHoldingBack(body, answered) : writePieces(body, PIECE, 0, answered);
    case 'chunked':
      return writePieces(body, PIECE, 0, answered);
    case 'trickled':
      return writePieces(body, Math.ceil(body.length / manner.pieces), manner.pause, answered);
    case 'stalled':
      return writePart(body, manner.share, never);
    case 'cut':
      return writePart(body, manner.share, () => setTimeout(manner.after));
  }
}

/** The client closes the connection when an answer is complete before its request is. */
const never = (): Promise<void> => new Promise(() => {});

async function* writePieces(body: Buffer, size: number, pause: number, answered: AbortSignal) {
  for (let at = 0; at < body.length; at += size) {
    // Even a pause of 0 lets an answer in.
    if (at > 0) await setTimeout(pause);
    if (answered.aborted) await never();
    yield body.subarray(at, at + size);
  }
}

async function* writeHoldingBack(body: Buffer, answered: AbortSignal) {
  yield body.subarray(0, OPENING);
  await setTimeout(HOLD_BACK_LIMIT, undefined, { signal: answered }).catch(() => {});
  yield* writePieces(body.subarray(OPENING), PIECE, 0, answered);
}

async function* writePart(body: Buffer, share: number, end: () => Promise<void>) {
  yield body.subarray(0, Math.max(1, Math.floor(body.length * share)));
  await end();
  throw new Error('the upload is broken off');
}
