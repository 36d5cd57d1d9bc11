import { now } from '../clock.ts';
import { BodyTooLarge, EmptyBody, RequestTimeout } from '../errors.ts';
import type { Lease, PhotoMemory } from '../memory.ts';

/** Limits of one upload: bytes and milliseconds. */
export interface UploadLimits {
  readonly maxBytes: number;
  readonly timeout: number;
  readonly idleTimeout: number;
  /** How long to wait for a place in memory. */
  readonly patience: number;
}

/** Bodies leave the other half of the memory for decoding them. */
const SHARE_OF_BODIES = 0.5;

/** Milliseconds that an upload has left from when its time is found to be over. */
const LAST_TURN = 10;

const tooSlow = () => new RequestTimeout('The upload was given up because it stood still or took too long.');

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The place in memory that `bytes` takes. */
  readonly lease: Lease;
  /** Gives up the bytes, at once and not when V8 next collects garbage, and their place. */
  release(): void;
}

/**
 * Reads the request's body, whole, into a buffer whose place in memory was leased before the first byte is read.
 * The limit holds whatever `Content-Length` claims. The platform writes straight into that buffer, as much at a time
 * as has come: no piece of the body is an object of its own.
 *
 * @throws {EmptyBody} there is none
 * @throws {BodyTooLarge} it has more than `maxBytes`
 * @throws {RequestTimeout} it comes too slowly, or not to its end
 * @throws {Overloaded} other photos fill the memory
 */
export async function readBody(request: Request, memory: PhotoMemory, limits: UploadLimits): Promise<Body> {
  const tooLarge = () => new BodyTooLarge(`At most ${limits.maxBytes} bytes are accepted.`);
  const declared = declaredLength(request);
  if (!request.body || declared === 0) throw new EmptyBody('The request has no body.');
  if (declared !== undefined && declared > limits.maxBytes) throw tooLarge();

  const { idleTimeout, patience } = limits;
  const lease = await memory.lease(declared ?? limits.maxBytes, {
    duration: idleTimeout,
    patience,
    share: SHARE_OF_BODIES,
  });
  const reader = request.body.getReader({ mode: 'byob' });
  let bytes = new Uint8Array(lease.bytes);
  const release = () => {
    // While a read is under way the buffer is the platform's, which gives it up when the read is cancelled.
    if (!bytes.buffer.detached) bytes.buffer.transfer(0);
    lease.release();
  };
  try {
    const deadline = now() + limits.timeout;
    let end = Number.POSITIVE_INFINITY;
    let length = 0;
    for (;;) {
      // Once and not with each read, or an upload that trickles would never end.
      if (now() >= deadline) end = Math.min(end, now() + LAST_TURN);
      if (now() > end) throw tooSlow();
      const full = length === bytes.byteLength;
      // Behind the last byte that was announced, or is allowed, one more must not come.
      const room = full ? new Uint8Array(1) : bytes.subarray(length);
      const remaining = Math.min(idleTimeout, deadline - now());
      const { done, value } = await within(remaining, reader.read(room).catch(brokenOff));
      // Reading takes the buffer away and gives it back as another object.
      if (!full && value) bytes = new Uint8Array(value.buffer);
      if (done) break;
      if (full) throw tooLarge();
      length += value.byteLength;
      lease.renew(idleTimeout);
    }
    if (length === 0) throw new EmptyBody('The request has no body.');
    if (length < bytes.byteLength) {
      // It came without a length, so the buffer was made for the largest.
      bytes = new Uint8Array(bytes.buffer.transfer(length));
      lease.shrink(length);
    }
    return { bytes, lease, release };
  } catch (error) {
    release();
    reader.cancel().catch(() => {});
    throw error;
  }
}

/** The client has gone: no failure of the service's own, and nobody is left to read the answer. */
function brokenOff(cause: unknown): never {
  // The platform keeps this error for as long as the request's body. Until its stack is read, V8 holds in it the
  // functions that were waiting, and with them the request itself: a circle that is never collected.
  if (cause instanceof Error) void cause.stack;
  throw new RequestTimeout('The upload broke off.', { cause });
}

/** `Content-Length`, or undefined where the body comes in chunks. */
function declaredLength(request: Request): number | undefined {
  const header = request.headers.get('Content-Length');
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const expired = new Promise<never>((_, reject) => {
    const giveUp = () => reject(tooSlow());
    // Where the isolate was busy for so long, the bytes may be there all the same: they get one more turn to come.
    const expire = () => {
      timer = setTimeout(giveUp, LAST_TURN);
    };
    timer = setTimeout(expire, Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
