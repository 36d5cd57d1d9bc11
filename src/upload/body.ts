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

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The place in memory that `bytes` takes: release it when they are no longer needed. */
  readonly lease: Lease;
}

/**
 * Reads the request's body, whole, into a buffer whose place in memory was leased before the first byte is read.
 * The limit holds whatever `Content-Length` claims.
 *
 * @throws {EmptyBody} there is none
 * @throws {BodyTooLarge} it has more than `maxBytes`
 * @throws {RequestTimeout} it comes too slowly
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
  const reader = request.body.getReader();
  try {
    const bytes = new Uint8Array(lease.bytes);
    const deadline = Date.now() + limits.timeout;
    let length = 0;
    for (;;) {
      const remaining = Math.min(idleTimeout, deadline - Date.now());
      const { done, value } = await within(remaining, reader.read());
      if (done) break;
      if (length + value.byteLength > bytes.byteLength) throw tooLarge();
      bytes.set(value, length);
      length += value.byteLength;
      lease.renew(idleTimeout);
    }
    if (length === 0) throw new EmptyBody('The request has no body.');
    if (length === bytes.byteLength) return { bytes, lease };
    // It came without a length, so the buffer was made for the largest.
    lease.shrink(length);
    return { bytes: bytes.slice(0, length), lease };
  } catch (error) {
    lease.release();
    reader.cancel().catch(() => {});
    throw error;
  }
}

/** `Content-Length`, or undefined where the body comes in chunks. */
function declaredLength(request: Request): number | undefined {
  const header = request.headers.get('Content-Length');
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const expired = new Promise<never>((_, reject) => {
    const expire = () =>
      reject(new RequestTimeout('The upload was given up because it stood still or took too long.'));
    timer = setTimeout(expire, Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
