import { getMultipartBoundary, parseMultipart } from '@remix-run/multipart-parser';
import { EmptyBody } from '../errors.ts';

/** More parts than any form of ours has, photos apart: what follows is not read. */
const OTHER_PARTS = 16;

/**
 * The content of each field of this name in a `multipart/form-data` body, in order: views of `body`, no copies.
 * Reads only as far as it is asked to.
 *
 * @param most how many such fields there may be at most
 * @throws {EmptyBody} the body is not well-formed up to there
 */
export function* multipartFields(
  body: Uint8Array,
  contentType: string,
  name: string,
  most: number,
): Generator<Uint8Array> {
  const limits = {
    maxFileSize: body.byteLength,
    maxTotalSize: body.byteLength,
    maxParts: most + OTHER_PARTS,
  };
  try {
    const boundary = getMultipartBoundary(contentType) ?? '';
    for (const part of parseMultipart(body, { boundary, ...limits })) {
      // The parser was given the body in one piece, so the content of a part is one piece too, or nothing.
      if (part.name === name) yield part.content[0] ?? new Uint8Array();
    }
  } catch (cause) {
    throw new EmptyBody('The multipart body cannot be read.', { cause });
  }
}
