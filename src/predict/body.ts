import { BodyTooLarge, EmptyBody, Failure, RequestTimeout } from '../errors.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { Arrival, type ArrivalLimits } from './arrival.ts';

/** A body that is still arriving. */
export interface BodySource {
  /** Null where there is no body. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** The length that the client declared; undefined where it declared none. */
  readonly declaredLength: number | undefined;
  /** The client's place among those whose bodies may arrive now. */
  readonly place?: Place | undefined;
  /** Decodes the body while it arrives. All lengths and limits are then of what it returns. */
  readonly decoder?: BodyDecoder;
}

/** The part of a `ReadableStreamBYOBReader` that reads a body. */
export interface ByteReader {
  /**
   * Fills at least `minimum` bytes of `room`, or fewer at the end of the body. It may detach the buffer and return it as
   * another object.
   */
  readAtLeast(
    minimum: number,
    room: Uint8Array<ArrayBuffer>,
  ): Promise<{ readonly done: boolean; readonly value?: Uint8Array<ArrayBuffer> | undefined }>;
  cancel(): Promise<void>;
}

export interface BodyDecoder {
  /** Bytes that it needs until the body is complete. */
  readonly memory: number;
  /** The reader of the decoded bytes. Its failures end the upload. */
  decode(reader: ByteReader): ByteReader;
}

/** Permission to send a body, held until `release` or until it expires. */
export interface Place {
  /** Extends it to `duration` milliseconds from now. */
  renew(duration: number): void;
  release(): void;
}

/** Limits of one upload. */
export interface UploadLimits extends ArrivalLimits {
  readonly maxBytes: number;
  /** Milliseconds to wait for free memory. */
  readonly patience: number;
}

/** Bodies leave the other half of the memory for decoding. */
const SHARE_OF_BODIES = 0.5;

/** The most bytes of the first step. */
const FIRST_STEP = 65_536;

/** How much larger each step is. A larger factor copies less, and a smaller one holds less memory for a slow upload. */
const GROWTH = 4;

/**
 * The fewest bytes of a read that is not the last, so that a body in chunks of one byte takes little time. A body at the
 * lowest permitted rate has several such reads in the period over which the rate is measured.
 */
const MIN_READ = 1_024;

/** How often a pending read is checked, in milliseconds. */
const CHECK_INTERVAL = 50;

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The memory that `bytes` takes. */
  readonly lease: Lease;
  /** Frees the bytes at once, not at V8's next garbage collection, and ends the lease. */
  release(): void;
}

/**
 * Reads a whole body into one buffer that grows in steps with what has arrived, not with what was declared. Its memory
 * is leased, and so is the copy that a step makes. The platform writes straight into the buffer, so no chunk is an
 * object of its own. The limit holds whatever length was declared.
 *
 * @throws {EmptyBody} there is no body
 * @throws {BodyTooLarge} it has more than `maxBytes`
 * @throws {RequestTimeout} it arrives too slowly, or breaks off
 * @throws {ImageTooLarge} it does not fit into memory
 * @throws {Overloaded} other photos fill the memory
 * @throws {Failure} the decoder throws it
 */
export async function readBody(
  { stream, declaredLength, place, decoder }: BodySource,
  memory: PhotoMemory,
  limits: UploadLimits,
): Promise<Body> {
  const { maxBytes, idleTimeout, patience } = limits;
  const tooLarge = () => new BodyTooLarge(`At most ${maxBytes} bytes are accepted.`);
  if (!stream || declaredLength === 0) throw new EmptyBody('The request has no body.');
  if (declaredLength !== undefined && declaredLength > maxBytes) throw tooLarge();

  const [first, ...steps] = listSteps(declaredLength ?? maxBytes, memory.capacityBytes);
  const arrival = new Arrival(limits);
  const wait = { patience, share: SHARE_OF_BODIES };
  const options = { ...wait, partial: first.partial, duration: idleTimeout, arriving: arrival };
  const overhead = decoder?.memory ?? 0;
  const lease = await arrival.pause(memory.lease(first.bytes + overhead, options));
  const encoded: ByteReader = stream.getReader({ mode: 'byob' });
  const reader = decoder?.decode(encoded) ?? encoded;
  let bytes = new Uint8Array(first.bytes);
  arrival.target = first.bytes;
  const release = () => {
    // During a read the platform owns the buffer, and frees it when the read is cancelled.
    if (!bytes.buffer.detached) bytes.buffer.transfer(0);
    lease.release();
  };
  const check = () => {
    if (lease.recalled) throw new RequestTimeout('The upload was too slow for the memory that it took.');
    arrival.check();
  };
  try {
    for (;;) {
      check();
      const full = arrival.length === bytes.byteLength;
      const next = full && steps.shift();
      if (next) {
        arrival.target = next.bytes;
        // For as long as the bytes are copied, both buffers are there.
        await arrival.pause(lease.extend(next.bytes, { ...wait, partial: next.partial }));
        bytes = new Uint8Array(bytes.buffer.transfer(next.bytes));
        lease.shrink(next.bytes + overhead);
        continue;
      }
      // Reject any byte past the declared or permitted length.
      const room = full ? new Uint8Array(1) : bytes.subarray(arrival.length);
      const { done, value } = await unless(
        check,
        reader.readAtLeast(Math.min(MIN_READ, room.length), room).catch(rejectBroken),
      );
      // A read detaches the buffer and returns it as another object.
      if (!full && value) bytes = new Uint8Array(value.buffer);
      if (done) break;
      if (full) throw tooLarge();
      arrival.add(value?.byteLength ?? 0);
      lease.renew(idleTimeout);
      place?.renew(idleTimeout);
    }
    const { length } = arrival;
    if (length === 0) throw new EmptyBody('The request has no body.');
    lease.secure();
    if (length < bytes.byteLength && lease.tryExtend(length)) {
      // The last step, or a body without a declared length, left room.
      bytes = new Uint8Array(bytes.buffer.transfer(length));
    }
    lease.shrink(bytes.byteLength);
    return { bytes: bytes.subarray(0, length), lease, release };
  } catch (error) {
    release();
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    place?.release();
  }
}

interface Step {
  readonly bytes: number;
  /** Whether another step follows. */
  readonly partial: boolean;
}

/** The sizes of the buffer of a body with at most `bytes`: only one where a copy would not fit beside it. */
function listSteps(bytes: number, capacity: number): [Step, ...Step[]] {
  const steps: [Step, ...Step[]] = [{ bytes, partial: false }];
  if (bytes + Math.ceil(bytes / GROWTH) > capacity) return steps;
  while (steps[0].bytes > FIRST_STEP) steps.unshift({ bytes: Math.ceil(steps[0].bytes / GROWTH), partial: true });
  return steps;
}

/** The client has gone: not a failure of the service, and nobody reads the answer. */
function rejectBroken(cause: unknown): never {
  if (cause instanceof Failure) throw cause;
  // The platform keeps this error as long as the request's body. Until its stack is read, V8 keeps in it the
  // functions that were waiting, and with them the request: a cycle that is never collected.
  if (cause instanceof Error) void cause.stack;
  throw new RequestTimeout('The upload broke off.', { cause });
}

/** The result of `pending`, unless `check`, which is called at intervals, throws first. */
async function unless<T>(check: () => void, pending: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | null = null;
  const failed = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      try {
        check();
      } catch (error) {
        reject(error);
      }
    }, CHECK_INTERVAL);
  });
  try {
    return await Promise.race([pending, failed]);
  } finally {
    clearInterval(timer);
  }
}
