import { BodyTooLarge, EmptyBody, InvalidBody, TooManyPhotos } from '../errors.ts';
import { readBody } from './body.ts';
import { MAX_JSON_BYTES } from './json-photos.ts';
import type { ReadUpload } from './upload.ts';

/** Bytes of the length before each element of a tensor of byte strings. */
const LENGTH_BYTES = 4;

/** What follows the JSON header of a binary request. */
export interface Tensor {
  readonly bytes: number;
  readonly elements: number;
}

/**
 * Reads photos from a binary request of the Open Inference Protocol: a JSON header, then one tensor whose elements each
 * have their length before them, as 32 bits, little-endian.
 *
 * @param headerLength bytes of the JSON header
 * @param parse the request in the header; throws `InvalidBody` if it does not describe this tensor
 * @param onRequest receives the request before any photo is inspected; an error ends the request
 */
export function tensorUpload<Request>(
  headerLength: number,
  parse: (header: unknown, tensor: Tensor) => Request,
  onRequest: (request: Request) => void,
): ReadUpload {
  return async (source, memory, limits, most) => {
    if (headerLength > MAX_JSON_BYTES) {
      throw new BodyTooLarge(`At most ${MAX_JSON_BYTES} bytes of JSON are accepted before the tensor.`);
    }
    const maxPhotos = most === 'first' ? 1 : most;
    const maxBytes = limits.maxBytes + headerLength + LENGTH_BYTES * maxPhotos;
    const { bytes, lease, release } = await readBody(source, memory, { ...limits, maxBytes });
    try {
      if (headerLength > bytes.length) throw new InvalidBody('The body is shorter than its JSON header.');
      const tensor = bytes.subarray(headerLength);
      const [first, ...others] = splitTensor(tensor, maxPhotos);
      if (!first) throw new EmptyBody('The request has no photo.');
      const files = [first, ...others] as const;
      if (tensor.length - LENGTH_BYTES * files.length > limits.maxBytes) {
        throw new BodyTooLarge(`At most ${limits.maxBytes} bytes of photos are accepted.`);
      }
      onRequest(parse(parseJson(bytes.subarray(0, headerLength)), { bytes: tensor.length, elements: files.length }));
      return { files, lease, release };
    } catch (error) {
      release();
      throw error;
    }
  };
}

/** The elements of a tensor of byte strings, as views. */
function splitTensor(tensor: Uint8Array, most: number): readonly Uint8Array[] {
  const view = new DataView(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < tensor.length; ) {
    if (elements.length === most) throw new TooManyPhotos(`At most ${most} photos per request are accepted.`);
    const start = at + LENGTH_BYTES;
    at = start <= tensor.length ? start + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at > tensor.length) throw new InvalidBody('The tensor ends within an element.');
    elements.push(tensor.subarray(start, at));
  }
  return elements;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new InvalidBody('The header is not valid JSON.');
  }
}
