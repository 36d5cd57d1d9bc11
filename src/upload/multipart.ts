import { getMultipartBoundary, parseMultipart } from '@remix-run/multipart-parser';
import { EmptyBody } from '../errors.ts';

/** More parts than any form of ours has: what follows is not read. */
const MAX_PARTS = 16;

/**
 * The content of the first field of this name in a `multipart/form-data` body: a view of `body`, no copy.
 *
 * @throws {EmptyBody} the body is not well-formed up to that field, or has no such field
 */
export function multipartField(body: Uint8Array, contentType: string, name: string): Uint8Array {
  const limits = { maxFileSize: body.byteLength, maxTotalSize: body.byteLength, maxParts: MAX_PARTS };
  try {
    const boundary = getMultipartBoundary(contentType) ?? '';
    for (const part of parseMultipart(body, { boundary, ...limits })) {
      // The parser was given the body in one piece, so the content of a part is one piece too, or nothing.
      if (part.name === name) return part.content[0] ?? new Uint8Array();
    }
  } catch (cause) {
    throw new EmptyBody('The multipart body cannot be read.', { cause });
  }
  throw new EmptyBody(`The multipart body has no field '${name}'.`);
}
