import { EmptyBody } from '../errors.ts';

/** The most parts other than photos that a form may have before the photos. */
const OTHER_PARTS = 16;

/** The most bytes of a part's headers. */
const MAX_HEADER_BYTES = 8_192;

/** RFC 2046, section 5.1.1: 1 to 70 of these characters, the last one not a space. */
const BOUNDARY = /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/;

const [TAB, LF, CR, SPACE, DASH] = [9, 10, 13, 32, 45];

/**
 * The boundary that a `multipart/form-data` content type declares.
 *
 * @throws {EmptyBody} there is none, or RFC 2046 excludes it
 */
export function parseBoundary(contentType: string): string {
  const boundary = findParameter(contentType, 'boundary');
  if (!boundary) throw new EmptyBody("The content type 'multipart/form-data' lacks its boundary.");
  if (!BOUNDARY.test(boundary)) {
    throw new EmptyBody('The multipart boundary is not 1 to 70 of the characters that RFC 2046 permits.');
  }
  return boundary;
}

/**
 * The contents of the fields with this name in a `multipart/form-data` body, in order, as views of `body`. Parses no
 * further than the caller iterates. Skips a preamble, and takes a last part without a closing boundary as it is.
 *
 * @param most the most such fields
 * @throws {EmptyBody} the body is malformed up to there
 */
export function* multipartFields(
  body: Uint8Array,
  boundary: string,
  name: string,
  most: number,
): Generator<Uint8Array> {
  const find = createSearch(`\r\n--${boundary}`);
  // The first delimiter may lack its line break.
  let delimiter = findDelimiter(body, find, -2);
  if (!delimiter) throw malformed();
  for (let parts = 1; delimiter && !delimiter.closes; parts++) {
    if (parts > most + OTHER_PARTS) throw malformed();
    const { end } = delimiter;
    // From the delimiter's own line break, as a part may have no headers.
    const blank = findBlankLine(body, end - 2);
    const next = findDelimiter(body, find, blank + 2);
    const headers = new TextDecoder('latin1').decode(body.subarray(end, blank));
    const disposition = /^content-disposition:.*/im.exec(headers)?.[0] ?? '';
    if (findParameter(disposition, 'name') === name) yield body.subarray(blank + 4, next?.start);
    delimiter = next;
  }
}

const malformed = () => new EmptyBody('The multipart body is malformed.');

/** A line that separates two parts. */
interface Delimiter {
  /** Where its line break starts, which belongs to it. */
  readonly start: number;
  readonly end: number;
  readonly closes: boolean;
}

function findDelimiter(body: Uint8Array, find: Search, from: number): Delimiter | undefined {
  for (let found = find(body, from); found; found = find(body, found.start + 1)) {
    let { start, end } = found;
    const rest = body.length - end;
    if (rest === 0 || (body[end] === DASH && (rest === 1 || body[end + 1] === DASH))) {
      return { start, end, closes: true };
    }
    while (body[end] === SPACE || body[end] === TAB) end++;
    // Other characters make it a longer boundary, of a form inside the part.
    if (body[end] === CR && body[end + 1] === LF) return { start, end: end + 2, closes: false };
  }
  return undefined;
}

/** @returns where the line break before a blank line starts */
function findBlankLine(body: Uint8Array, from: number): number {
  for (let at = from; at < from + MAX_HEADER_BYTES; at++) {
    if (body[at] === CR && body[at + 1] === LF && body[at + 2] === CR && body[at + 3] === LF) return at;
  }
  throw malformed();
}

/** Finds the first match at or after `from`; 2 before the start, the body lacks the first two bytes of the match. */
type Search = (body: Uint8Array, from: number) => { readonly start: number; readonly end: number } | undefined;

/**
 * Searches as Boyer, Moore and Horspool do, but compares from the start: the text starts with a line break, and has no
 * other, so that no body takes more than linear time.
 */
function createSearch(text: string): Search {
  const needle = new TextEncoder().encode(text);
  const last = needle.length - 1;
  const skip = new Uint8Array(256).fill(needle.length);
  for (const [index, byte] of needle.subarray(0, last).entries()) skip[byte] = last - index;
  return (body, from) => {
    for (let start = from; start + last < body.length; start += skip[body[start + last] ?? 0] ?? 1) {
      let index = Math.max(0, -start);
      while (index <= last && body[start + index] === needle[index]) index++;
      if (index > last) return { start, end: start + needle.length };
    }
    return undefined;
  };
}

/** The value of a parameter (RFC 9110, section 5.6.6) of a header field; undefined where it has none. */
function findParameter(field: string, name: string): string | undefined {
  // The closing quote is optional, so that the pattern never starts again inside the text after an open one.
  const parameters = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;"\s]*))/g;
  for (const [, key, quoted, token] of field.matchAll(parameters)) {
    if (key?.toLowerCase() === name) return quoted?.replace(/\\(.)/g, '$1') ?? token;
  }
  return undefined;
}
