import { getMultipartBoundary, parseMultipart } from '@remix-run/multipart-parser';
import { EmptyBody } from '../errors.ts';

/** The most parts other than photos that a form may have before the photos. */
const OTHER_PARTS = 16;

/**
 * The contents of the fields with this name in a `multipart/form-data` body, in order, as views of `body`. Parses no
 * further than the caller iterates.
 *
 * @param most the most such fields
 * @throws {EmptyBody} the body is malformed up to there
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
      // The parser gets the body in one piece, so the content of a part is one piece too, or empty.
      if (part.name === name) yield part.content[0] ?? new Uint8Array();
    }
  } catch (cause) {
    throw new EmptyBody('The multipart body is malformed.', { cause });
  }
}
