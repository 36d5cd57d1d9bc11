import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../../../src/model/oms/bytes.ts';
import { CURVES, type Curve } from '../../../../src/model/oms/curves.ts';
import { parseDerSignature, toRawSignature } from '../../../../src/model/oms/der.ts';
import { element, integer, toDer } from './signer.ts';

function curveNamed(name: string): Curve {
  const curve = CURVES.find((candidate) => candidate.name === name);
  if (!curve) throw new Error(name);
  return curve;
}

const toRaw = (der: Uint8Array, curve: Curve) => {
  const signature = parseDerSignature(der);
  return signature && toRawSignature(signature, curve);
};

const sequence = (...parts: Uint8Array[]) => element(0x30, concat(parts));
const one = integer(Uint8Array.of(1));

describe.each(['P-256', 'P-384'])('%s', (name) => {
  const curve = curveNamed(name);
  const whole = (byte: number) => new Uint8Array(curve.size).fill(byte);
  const order = fromHex(curve.order);
  const belowOrder = order.slice();
  belowOrder[curve.size - 1] = (belowOrder[curve.size - 1] ?? 0) - 1;

  test.each([
    ['ordinary', whole(0x11), whole(0x22)],
    ['with the highest bit set', whole(0x99), whole(0xaa)],
    ['short', Uint8Array.of(...new Uint8Array(curve.size - 1), 1), Uint8Array.of(0, ...whole(0x80).subarray(1))],
    ['the largest that there are', belowOrder, belowOrder],
  ])('integers, %s', (_, r, s) => {
    const raw = concat([r, s]);
    expect(toHex(toRaw(toDer(raw), curve) ?? new Uint8Array())).toBe(toHex(raw));
  });

  test.each([
    ['r is the order', sequence(integer(order), one)],
    ['s is the order', sequence(one, integer(order))],
    ['r is longer than the order', sequence(integer(Uint8Array.of(1, ...whole(0))), one)],
    ['s is longer than the order', sequence(one, integer(Uint8Array.of(1, ...whole(0))))],
  ])('out of range: %s', (_, der) => {
    expect(parseDerSignature(der)).toBeDefined();
    expect(toRaw(der, curve)).toBeUndefined();
  });
});

test.each([
  ['nothing', ''],
  ['a tag alone', '30'],
  ['an empty sequence', '3000'],
  ['no s', '3003020101'],
  ['cut short', '30060201010201'],
  ['a byte after the end', '300602010102010100'],
  ['a byte after s, inside', '3007020101020101ff'],
  ['a third integer', '3009020101020101020101'],
  ['another outer tag', '3106020101020101'],
  ['another inner tag', '3006030101020101'],
  ['r without bytes', '30050200020101'],
  ['r is zero', '3006020100020101'],
  ['s is zero', '3006020101020100'],
  ['r is negative', '3006020181020101'],
  ['s is negative', '30060201010201ff'],
  ['a leading zero too many', '300702020001020101'],
  ['a length in two bytes', '308106020101020101'],
  ['a length beyond those in one byte', `3084${`0240${'01'.repeat(64)}`.repeat(2)}`],
  ['an inner length in two bytes', '300702810101020101'],
  ['an indefinite length', '30800201010201010000'],
  ['a sequence longer than its content', '3007020101020101'],
  ['an integer longer than the sequence', '3006020101020201'],
])('not strict DER: %s', (_, hex) => {
  expect(parseDerSignature(fromHex(hex))).toBeUndefined();
});

test('the shortest signature', () => {
  expect(parseDerSignature(fromHex('3006020101020101'))).toEqual({
    r: Uint8Array.of(1),
    s: Uint8Array.of(1),
  });
});
