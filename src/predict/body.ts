import { now } from '../clock.ts';
import { BodyTooLarge, EmptyBody, RequestTimeout } from '../errors.ts';
import type { Lease, PhotoMemory } from '../memory.ts';

/** A body that is still arriving. */
export interface BodySource {
  /** Null where there is no body. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** The length that the client declared; undefined where it declared none. */
  readonly declaredLength: number | undefined;
}

/** Limits of one upload: bytes and milliseconds. */
export interface UploadLimits {
  readonly maxBytes: number;
  readonly timeout: number;
  readonly idleTimeout: number;
  /** How long to wait for free memory. */
  readonly patience: number;
}

/** Bodies leave the other half of the memory for decoding. */
const SHARE_OF_BODIES = 0.5;

/** Milliseconds that an upload has left once its time is found to be over. */
const LAST_TURN = 10;

const tooSlow = () => new RequestTimeout('The upload stalled or took too long.');

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The memory that `bytes` takes. */
  readonly lease: Lease;
  /** Frees the bytes at once, not at V8's next garbage collection, and ends the lease. */
  release(): void;
}

/**
 * Reads a whole body into one buffer, whose memory is leased before the first byte is read. The platform writes
 * straight into that buffer, so no chunk is an object of its own. The limit holds whatever length was declared.
 *
 * @throws {EmptyBody} there is no body
 * @throws {BodyTooLarge} it has more than `maxBytes`
 * @throws {RequestTimeout} it arrives too slowly, or breaks off
 * @throws {Overloaded} other photos fill the memory
 */
export async function readBody(
  { stream, declaredLength }: BodySource,
  memory: PhotoMemory,
  { maxBytes, timeout, idleTimeout, patience }: UploadLimits,
): Promise<Body> {
  const tooLarge = () => new BodyTooLarge(`At most ${maxBytes} bytes are accepted.`);
  if (!stream || declaredLength === 0) throw new EmptyBody('The request has no body.');
  if (declaredLength !== undefined && declaredLength > maxBytes) throw tooLarge();

  const lease = await memory.lease(declaredLength ?? maxBytes, {
    duration: idleTimeout,
    patience,
    share: SHARE_OF_BODIES,
  });
  const reader = stream.getReader({ mode: 'byob' });
  let bytes = new Uint8Array(lease.bytes);
  const release = () => {
    // During a read the platform owns the buffer, and frees it when the read is cancelled.
    if (!bytes.buffer.detached) bytes.buffer.transfer(0);
    lease.release();
  };
  try {
    const deadline = now() + timeout;
    let end = Number.POSITIVE_INFINITY;
    let length = 0;
    for (;;) {
      // Set once and not with each read, or an upload that trickles would never end.
      if (now() >= deadline) end = Math.min(end, now() + LAST_TURN);
      if (now() > end) throw tooSlow();
      const full = length === bytes.byteLength;
      // Reject any byte past the declared or permitted length.
      const room = full ? new Uint8Array(1) : bytes.subarray(length);
      const remaining = Math.min(idleTimeout, deadline - now());
      const { done, value } = await within(remaining, reader.read(room).catch(rejectBroken));
      // A read detaches the buffer and returns it as another object.
      if (!full && value) bytes = new Uint8Array(value.buffer);
      if (done) break;
      if (full) throw tooLarge();
      length += value.byteLength;
      lease.renew(idleTimeout);
    }
    if (length === 0) throw new EmptyBody('The request has no body.');
    if (length < bytes.byteLength) {
      // Without a declared length the buffer has the largest permitted size.
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

/** The client has gone: not a failure of the service, and nobody reads the answer. */
function rejectBroken(cause: unknown): never {
  // The platform keeps this error as long as the request's body. Until its stack is read, V8 keeps in it the
  // functions that were waiting, and with them the request: a cycle that is never collected.
  if (cause instanceof Error) void cause.stack;
  throw new RequestTimeout('The upload broke off.', { cause });
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const expired = new Promise<never>((_, reject) => {
    const giveUp = () => reject(tooSlow());
    // The bytes may be here already if the isolate was busy all the time: they get one more turn.
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
