import { concat, toHex } from './bytes.ts';
import type { Curve } from './curves.ts';

/** The two integers of an ECDSA signature, big-endian, without leading zeros; neither is zero. */
export interface EcdsaSignature {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
}

const INTEGER = 0x02;
const SEQUENCE = 0x30;

/**
 * Parses an `Ecdsa-Sig-Value` (RFC 3279, section 2.2.3) in strict DER, which has one encoding per signature: minimal
 * lengths, no leading zeros, nothing after the end. Undefined for anything else.
 */
export function parseDerSignature(der: Uint8Array): EcdsaSignature | undefined {
  const body = readValue(der, SEQUENCE);
  if (!body || body.rest.byteLength > 0) return undefined;
  const r = readValue(body.value, INTEGER);
  const s = r && readValue(r.rest, INTEGER);
  if (!r || !s || s.rest.byteLength > 0) return undefined;
  if (!isPositive(r.value) || !isPositive(s.value)) return undefined;
  return { r: withoutSignByte(r.value), s: withoutSignByte(s.value) };
}

/**
 * Encodes the signature for WebCrypto: r and s, each padded to the curve's size. Undefined if one is not below the
 * curve's order, as in a signature on another curve.
 */
export function toRawSignature({ r, s }: EcdsaSignature, curve: Curve): Uint8Array<ArrayBuffer> | undefined {
  if (!isBelowOrder(r, curve) || !isBelowOrder(s, curve)) return undefined;
  return concat([pad(r, curve.size), pad(s, curve.size)]);
}

/** Reads the element at the start of `der`. All are shorter than 128 bytes here, so a length is one byte. */
function readValue(der: Uint8Array, tag: number): { value: Uint8Array; rest: Uint8Array } | undefined {
  const length = der[1];
  if (der[0] !== tag || length === undefined || length >= 0x80 || der.byteLength < 2 + length) return undefined;
  return { value: der.subarray(2, 2 + length), rest: der.subarray(2 + length) };
}

/** Whether this is the minimal encoding of a positive integer: a leading zero only keeps the sign bit clear. */
function isPositive(integer: Uint8Array): boolean {
  const [first, second] = integer;
  if (first === undefined || first >= 0x80) return false;
  return first > 0 || (second !== undefined && second >= 0x80);
}

function withoutSignByte(integer: Uint8Array): Uint8Array {
  return integer[0] === 0 ? integer.subarray(1) : integer;
}

function isBelowOrder(integer: Uint8Array, { size, order }: Curve): boolean {
  return integer.byteLength <= size && toHex(pad(integer, size)) < order;
}

function pad(integer: Uint8Array, size: number): Uint8Array {
  return concat([new Uint8Array(size - integer.byteLength), integer]);
}
