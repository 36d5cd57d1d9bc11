import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../../../src/model/oms/bundle.ts';
import { utf8 } from '../../../../src/model/oms/bytes.ts';
import { parsePublicKeys } from '../../../../src/model/oms/public-keys.ts';
import { parseStatement } from '../../../../src/model/oms/statement.ts';
import { verifySignature } from '../../../../src/model/oms/verify.ts';
import type { Bundle, Statement } from './signer.ts';
import { json, unbase64 } from './signer.ts';
import vectors from './specification-vectors.json';

const twoFiles = new Map(Object.entries(vectors.files));
const oneFile = new Map(Object.entries(vectors.singleFile));

describe('signatures by other tools', () => {
  test.each([
    ['the reference tool', vectors.key, twoFiles],
    ['the implementation in Go', vectors.keyByGo, twoFiles],
    ['version 1.0.0 of the reference tool, which wrote the key instead of a hint', vectors.keyBeforeHints, oneFile],
  ])('%s', async (_, bundle, files) => {
    const keys = await parsePublicKeys(vectors.publicKey);
    expect(await verifySignature(utf8(bundle), keys, files)).toEqual({ fingerprint: keys[0]?.fingerprint });
  });
});

describe("the specification's vectors for the method key, under their own names", () => {
  const good = (): Bundle => JSON.parse(vectors.key);

  test('valid/key', () => {
    const bundle = parseBundle(utf8(vectors.key));
    expect(parseStatement(bundle.payload).resources.map(({ name }) => name)).toEqual(['signme-1', 'signme-2']);
  });

  test('invalid/missing-envelope', () => {
    const { dsseEnvelope: _, ...rest } = good();
    expect(() => parseBundle(json(rest))).toThrow(expect.objectContaining({ reason: 'malformed_bundle' }));
  });

  test('invalid/missing-verification-material', () => {
    const { verificationMaterial: _, ...rest } = good();
    expect(() => parseBundle(json(rest))).toThrow(expect.objectContaining({ reason: 'malformed_bundle' }));
  });

  test('invalid-payload/wrong-predicate: a valid bundle, an invalid statement', () => {
    const text = new TextDecoder().decode(unbase64(good().dsseEnvelope.payload));
    const statement: Statement = JSON.parse(text);
    const payload = json({ ...statement, predicateType: 'https://example.com/wrong-predicate/v1.0' });
    const envelope = { ...good().dsseEnvelope, payload: btoa(String.fromCharCode(...payload)) };
    const bundle = parseBundle(json({ ...good(), dsseEnvelope: envelope }));
    expect(() => parseStatement(bundle.payload)).toThrow(expect.objectContaining({ reason: 'predicate_type' }));
  });
});
