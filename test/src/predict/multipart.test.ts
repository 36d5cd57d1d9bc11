import { expect, test } from 'vitest';
import { EmptyBody } from '../../../src/errors.ts';
import { multipartFields, parseBoundary } from '../../../src/predict/multipart.ts';
import { utf8 } from '../../pictures/png.ts';

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

/** The contents of the fields `file`, as Latin-1. */
const read = (body: Uint8Array, boundary = 'X', most = 3) =>
  Array.from(multipartFields(body, boundary, 'file', most), text);

const HEADER = 'Content-Disposition: form-data; name="file"; filename="a.png"';
const part = (content: string, header = HEADER, boundary = 'X') => `--${boundary}\r\n${header}\r\n\r\n${content}\r\n`;

test.each([
  ['----WebKitFormBoundary7MA4YWxkTrZu0gW', '----WebKitFormBoundary7MA4YWxkTrZu0gW'],
  ['"with spaces, and: (more)"', 'with spaces, and: (more)'],
  ['"escaped\\?"', 'escaped?'],
  ['a=b/c:d', 'a=b/c:d'],
  [`${'x'.repeat(70)}; charset=utf-8`, 'x'.repeat(70)],
])('the boundary %s is read', (written, boundary) => {
  expect(parseBoundary(`multipart/form-data; charset=utf-8; Boundary=${written}`)).toBe(boundary);
});

test.each(['', '; charset=utf-8', '; boundary=', '; boundary=""', '; boundaries=x'])(
  'a content type without a boundary (%j) is refused as such',
  (parameters) => {
    expect(() => parseBoundary(`multipart/form-data${parameters}`)).toThrow(/lacks its boundary/);
  },
);

// From 252 characters on, the parser that the service had before never returned.
test.each(['x'.repeat(71), 'x'.repeat(252), '"ends with a space "', 'é', '"<html>"', '"a\tb"', 'a_b*'])(
  'the boundary %j is refused, as RFC 2046 excludes it',
  (written) => {
    expect(() => parseBoundary(`multipart/form-data; boundary=${written}`)).toThrow(/RFC 2046/);
  },
);

test.each([
  ['as RFC 2046 writes it', `${part('one')}${part('two')}--X--\r\n`],
  ['with a preamble and an epilogue', `Hello\r\n${part('one')}${part('two')}--X--\r\nGoodbye\r\n${part('three')}`],
  ['with a line break before the first boundary', `\r\n${part('one')}${part('two')}--X--`],
  ['with white space after the boundaries', `${part('one')}${part('two')}--X-- `.replaceAll('X\r', 'X \t\r')],
  ['with other fields', `${part('0', 'Content-Disposition: form-data; name="x"')}${part('one')}${part('two')}--X--`],
  ['with a part without headers', `--X\r\n\r\nnone\r\n${part('one')}${part('two')}--X--`],
  ['without its last boundary', `${part('one')}${part('two')}`.slice(0, -2)],
  ['cut off in its last boundary', `${part('one')}${part('two')}--X-`],
  ['cut off before the last dashes', `${part('one')}${part('two')}--X`],
])('a form %s is read', (_, form) => {
  expect(read(utf8(form))).toEqual(['one', 'two']);
});

test.each([
  ['in Latin-1', 'filename="Zo\xeb.png"'],
  ['in Shift JIS', 'filename="\x8e\xca\x90^.jpg"'],
  ['with a name inside', 'filename="; name=\\"other\\".png"'],
  ['with a path', 'filename="C:\\photos\\a.png"'],
  ['encoded', "filename*=utf-8''%e2%82%ac.png"],
])('the name of a file does not matter: %s', (_, name) => {
  for (const header of [
    `Content-Disposition: form-data; name="file"; ${name}\r\nContent-Type: image/png`,
    `Content-Type: image/png\r\ncontent-disposition:form-data; ${name}; name=file`,
  ]) {
    expect(read(latin1(`${part('one', header)}--X--`))).toEqual(['one']);
  }
});

test.each([
  ['a longer boundary', '\r\n--XY\r\n'],
  ['almost a boundary', '\r\n--\r\n--\r\n-X\r\n\r\n-\n--X--'],
  ['an inner form', `\r\n${part('inner', HEADER, 'X1')}--X1--`],
  ['line breaks', '\r\n\r\r\n\n\r\n\r\n'],
  ['nothing', ''],
])('a photo may contain %s', (_, content) => {
  expect(read(latin1(`${part(content)}${part('two')}--X--`))).toEqual([content, 'two']);
});

test('every byte of a photo comes out, whatever the boundary', () => {
  const content = text(Uint8Array.from({ length: 5_000 }, (_byte, index) => (index * index) % 251));
  for (const boundary of ['-', '--', 'a'.repeat(70), "'()+_,-./:=?"]) {
    const form = `${part(content, HEADER, boundary)}${part('', HEADER, boundary)}--${boundary}--`;
    expect(read(latin1(form), boundary)).toEqual([content, '']);
  }
});

test.each([
  ['no boundary', 'photo'],
  ['another boundary', part('one', HEADER, 'Y')],
  ['headers without an end', `--X\r\n${HEADER}\r\n--X--`],
  ['headers of 10 KB', part('one', `${HEADER}\r\nX-Long: ${'x'.repeat(10_000)}`)],
  ['too many fields before the photo', `${part('0', 'X: y').repeat(100)}${part('one')}--X--`],
])('a form with %s is malformed', (_, form) => {
  expect(() => read(utf8(form))).toThrow(EmptyBody);
});

test('a form without fields is not malformed', () => {
  expect(read(utf8('--X--\r\n'))).toEqual([]);
});

test('what follows the last requested photo is not parsed', () => {
  const fields = multipartFields(utf8(`${part('one')}--X\r\nno headers`), 'X', 'file', 1);
  expect(text(fields.next().value ?? new Uint8Array())).toBe('one');
});
