import http from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /**
   * The service refuses the body before its end and closes: the answer can be lost with what was still on its way
   * (RFC 9112, section 9.6). Where the length is announced, most of the body is held back until the answer comes or time
   * is up, as with `Expect: 100-continue` (RFC 9110, section 10.1.1). A request whose answer is lost is sent anew.
   */
  readonly refusedEarly?: boolean;
}

export interface Incoming {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a request's body goes out; milliseconds, and shares of the body from 0 to 1. */
export type Manner =
  | { readonly kind: 'whole' }
  /** Without a length. */
  | { readonly kind: 'chunked' }
  | { readonly kind: 'trickled'; readonly pieces: number; readonly pause: number }
  /** A part of it, and then nothing; the connection stays open. */
  | { readonly kind: 'stalled'; readonly share: number }
  /** A part of it, and then the connection is torn down. */
  | { readonly kind: 'cut'; readonly share: number; readonly after: number };

/** The client has torn the connection down, as it meant to. */
export const CUT = Symbol('cut');

/** Whoever writes a large body at one go does not see the answer that comes before its end. */
const PIECE = 131_072;

/** What goes out at once of a body that is held back: less than what workerd takes without closing, 64 KiB. */
const OPENING = 16_384;
/** How long the rest is held back. */
const HELD_BACK = 10_000;

/** How often a request is sent whose answers are lost. */
const TRIES = 5;

/** Longer than the Worker takes for anything, waiting for its limits included. */
const TIMEOUT = 90_000;

/** One client: a connection that is kept open from request to request, and made anew when it has been closed. */
export class Connection {
  readonly #origin: string;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** @throws {Error} the service breaks the connection, or does not answer in time */
  send(outgoing: Outgoing, manner?: Exclude<Manner, { kind: 'cut' }>): Promise<Incoming>;
  send(outgoing: Outgoing, manner: Manner): Promise<Incoming | typeof CUT>;
  send(outgoing: Outgoing, manner: Manner = { kind: 'whole' }): Promise<Incoming | typeof CUT> {
    return this.#send(outgoing, manner, outgoing.refusedEarly ? TRIES : 1);
  }

  #send(outgoing: Outgoing, manner: Manner, tries: number): Promise<Incoming | typeof CUT> {
    const { method, path, headers = {}, body } = outgoing;
    return new Promise((resolve, reject) => {
      const length = body && manner.kind !== 'chunked' ? { 'Content-Length': body.length } : {};
      const request = http.request(this.#origin + path, {
        method,
        headers: { ...headers, ...length },
        agent: this.#agent,
      });
      const late = globalThis.setTimeout(
        () => request.destroy(new Error(`no answer in ${TIMEOUT} ms`)),
        TIMEOUT,
      );
      let answered = false;
      request.once('close', () => clearTimeout(late));
      request.on('error', (error) => {
        // What is still being written after the answer has come is of no interest to the server any more.
        if (manner.kind === 'cut') resolve(CUT);
        else if (answered) return;
        // The server has closed the connection while it was idle, at the moment of this request: RFC 9110, 9.2.2.
        else if (request.reusedSocket && isClosed(error)) resolve(this.#send(outgoing, manner, tries));
        else if (tries > 1 && isClosed(error)) resolve(this.#send(outgoing, manner, tries - 1));
        else reject(error);
      });
      request.once('response', (response) => {
        answered = true;
        read(response).then(resolve, (error) => (manner.kind === 'cut' ? resolve(CUT) : reject(error)));
        // The rest of the body is not going to be sent, so the connection is of no use any more.
        response.once('end', () => request.writableEnded || request.destroy());
      });
      write(request, outgoing, manner, () => answered).catch((error: unknown) =>
        request.destroy(asError(error)),
      );
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const isClosed = (error: NodeJS.ErrnoException): boolean =>
  error.code === 'ECONNRESET' || error.code === 'EPIPE';

async function write(
  request: http.ClientRequest,
  { body, refusedEarly }: Outgoing,
  manner: Manner,
  answered: () => boolean,
): Promise<void> {
  if (!body) {
    request.end();
    return;
  }
  switch (manner.kind) {
    case 'whole': {
      const opening = refusedEarly ? OPENING : 0;
      if (opening > 0) await Promise.all([part(request, body.subarray(0, opening)), answerTo(request)]);
      const rest = body.subarray(opening);
      await pieces(request, rest, Math.ceil(rest.length / PIECE), 0, answered);
      return;
    }
    case 'chunked':
      await pieces(request, body, Math.ceil(body.length / PIECE), 0, answered);
      return;
    case 'trickled':
      await pieces(request, body, manner.pieces, manner.pause, answered);
      return;
    case 'stalled':
      request.write(body.subarray(0, Math.floor(body.length * manner.share)));
      return;
    case 'cut':
      if (manner.share === 1) request.end(body);
      else request.write(body.subarray(0, Math.floor(body.length * manner.share)));
      await setTimeout(manner.after);
      request.destroy();
  }
}

/** One after the other, each when the one before it has gone out; none more once the answer is there. */
async function pieces(
  request: http.ClientRequest,
  body: Buffer,
  count: number,
  pause: number,
  answered: () => boolean,
): Promise<void> {
  const size = Math.max(1, Math.ceil(body.length / count));
  for (let at = 0; at < body.length; at += size) {
    // A pause of 0 too lets the answer in.
    if (at > 0) await setTimeout(pause);
    if (answered()) return;
    await part(request, body.subarray(at, at + size));
  }
  request.end();
}

/** Resolves when this part of the body has gone out, or never will. */
async function part(request: http.ClientRequest, bytes: Buffer): Promise<void> {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  request.once('close', resolve);
  request.write(bytes, () => resolve());
  await gone;
  request.off('close', resolve);
}

/** Resolves when the answer begins, or never will, or is too long in coming. */
async function answerTo(request: http.ClientRequest): Promise<void> {
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const late = globalThis.setTimeout(resolve, HELD_BACK);
  request.once('response', () => resolve());
  request.once('close', resolve);
  await settled;
  clearTimeout(late);
}

/**
 * The answers to requests that are sent without waiting for one another (RFC 9112, section 9.3.2), in order. There are
 * fewer where the service has refused one of them for want of room: it does not read on then, and closes.
 *
 * @throws {Error} the service breaks the connection for another reason, or does not answer in time
 */
export function pipeline(origin: string, requests: readonly Outgoing[]): Promise<Incoming[]> {
  const { hostname, port, host } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const answers: Incoming[] = [];
    let received = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error(`no answer in ${TIMEOUT} ms`)));
    socket.once('error', reject);
    socket.once('close', () => {
      if (answers.at(-1)?.status === 503) resolve(answers);
      else reject(new Error(`${answers.length} of ${requests.length} were answered`));
    });
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      try {
        for (let answer = firstAnswer(received); answer; answer = firstAnswer(received)) {
          answers.push(answer);
          received = received.subarray(answer.length);
        }
      } catch (error) {
        socket.destroy(asError(error));
      }
      if (answers.length < requests.length) return;
      resolve(answers);
      socket.destroy();
    });
    for (const { method, path, headers = {}, body = Buffer.alloc(0) } of requests) {
      const lines = Object.entries({ Host: host, ...headers, 'Content-Length': body.length });
      const head = [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(body);
    }
  });
}

/** The answer that these bytes begin with, and how long it is; undefined while it is incomplete. */
function firstAnswer(bytes: Buffer): (Incoming & { readonly length: number }) | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers: http.IncomingHttpHeaders = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  const size = Number(headers['content-length']);
  if (!Number.isInteger(size)) throw new Error('an answer to a pipelined request has no length');
  const from = end + 4;
  if (bytes.length < from + size) return undefined;
  const status = Number(line.split(' ')[1]);
  return { status, headers, body: bytes.subarray(from, from + size), length: from + size };
}

function read(response: http.IncomingMessage): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('error', reject);
    response.once('aborted', () => reject(new Error('the answer broke off')));
    response.once('end', () => {
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
    });
  });
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
