import { expect, test } from 'vitest';
import { concat, fromBase64, fromHex, toHex, utf8 } from '../../../../src/model/oms/bytes.ts';
import { preAuthenticationEncoding } from '../../../../src/model/oms/dsse.ts';

test.each([
  ['', ''],
  ['+w==', 'fb'],
  ['+/8=', 'fbff'],
  ['+//7', 'fbfffb'],
])('base64 %j', (text, hex) => {
  expect(toHex(fromBase64(text) ?? Uint8Array.of(0))).toBe(hex);
});

test.each([
  ['without padding', '+w'],
  ['with padding too short', '+w='],
  ['with padding too long', '+//7='],
  ['with bits that are not used', '+x=='],
  ['with white space', '+w==\n'],
  ['in the URL-safe alphabet', '-_8='],
  ['with another character', '+*8='],
  ['with a character beyond Latin-1', '+w=\u{1f415}'],
])('not canonical base64: %s', (_, text) => {
  expect(fromBase64(text)).toBeUndefined();
});

test('hex round trip', () => {
  expect(toHex(fromHex('00ff10'))).toBe('00ff10');
  expect(fromHex('')).toEqual(new Uint8Array());
});

// The example of the DSSE protocol, version 1.0.0.
test('pre-authentication encoding', () => {
  expect(preAuthenticationEncoding('http://example.com/HelloWorld', utf8('hello world'))).toEqual(
    utf8('DSSEv1 29 http://example.com/HelloWorld 11 hello world'),
  );
});

test('pre-authentication encoding counts bytes, not characters, and accepts any bytes', () => {
  expect(preAuthenticationEncoding('ä', Uint8Array.of(0xff, 0x00))).toEqual(
    concat([utf8('DSSEv1 2 ä 2 '), Uint8Array.of(0xff, 0x00)]),
  );
});
