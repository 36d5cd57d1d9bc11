import { beforeAll, describe, expect, test } from 'vitest';
import { concat, utf8 } from '../../../../src/model/oms/bytes.ts';
import type { PublicKey } from '../../../../src/model/oms/public-keys.ts';
import { verifySignature } from '../../../../src/model/oms/verify.ts';
import vectors from './reference-vectors.json';
import { type Curve, curves, expectRefusal, files, referenceBundle, referenceKeys, sealed, signer } from './refusal.ts';
import { type Bundle, base64, element, integer, json, newSigner, statementOf, unbase64 } from './signer.ts';

let reference: Record<Curve, PublicKey>;

beforeAll(async () => {
  reference = await referenceKeys();
});

function withSignature(bundle: Bundle, change: (der: Uint8Array) => Uint8Array): Bundle {
  const [signature] = bundle.dsseEnvelope.signatures;
  if (!signature) throw new Error('no signature');
  signature.sig = base64(change(unbase64(signature.sig)));
  return bundle;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  const index = at < 0 ? bytes.byteLength + at : at;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}

describe.each(curves)('a signature of the reference tool on %s', (name) => {
  test('is accepted', async () => {
    const verified = await verifySignature(utf8(vectors.bundles[name]), [reference[name]], files);
    expect(verified).toEqual({ fingerprint: reference[name].fingerprint });
  });

  test.each([
    ['the last byte of the signature', (der: Uint8Array) => flipped(der, -1)],
    ['a byte of r', (der: Uint8Array) => flipped(der, 10)],
  ])('is refused with a bit flipped in %s', async (_, change) => {
    await expectRefusal(withSignature(referenceBundle(name), change), 'wrong_signature', [reference[name]]);
  });

  test('is refused with a bit flipped in the payload', async () => {
    const bundle = referenceBundle(name);
    const payload = unbase64(bundle.dsseEnvelope.payload);
    // In the model's name: still a valid statement.
    const at = new TextDecoder().decode(payload).indexOf('"model"') + 1;
    bundle.dsseEnvelope.payload = base64(flipped(payload, at));
    await expectRefusal(bundle, 'wrong_signature', [reference[name]]);
  });

  test.each([
    ['cut short', (der: Uint8Array) => der.subarray(0, -1)],
    ['with a byte after it', (der: Uint8Array) => concat([der, Uint8Array.of(0)])],
    ['with r zero', () => element(0x30, concat([integer(Uint8Array.of(0)), integer(Uint8Array.of(1))]))],
    ['with s zero', () => element(0x30, concat([integer(Uint8Array.of(1)), integer(Uint8Array.of(0))]))],
    ['empty', () => element(0x30, new Uint8Array())],
    ['as r and s without DER', (der: Uint8Array) => new Uint8Array(der.byteLength - 8).fill(1)],
  ])('is refused with its signature %s', async (_, change) => {
    await expectRefusal(withSignature(referenceBundle(name), change), 'malformed_signature', [reference[name]]);
  });

  test('is refused with another file of that name', async () => {
    const changed = new Map(files).set('model.onnx', '0'.repeat(64));
    await expectRefusal(referenceBundle(name), 'file_digest', [reference[name]], changed);
  });
});

describe("the reference tool's other methods are refused", () => {
  test.each([
    ['the encoding of its version 0.2', vectors.paeCompat, 'wrong_signature'],
    ['files in shards', vectors.shards, 'serialization'],
    ['files hashed with BLAKE2', vectors.blake2, 'serialization'],
    ['a certificate', vectors.certificate, 'method'],
  ] as const)('%s', async (_, bundle, reason) => {
    await expectRefusal(utf8(bundle), reason, [reference['P-256']]);
  });

  test('a key on P-521', async () => {
    await expectRefusal(utf8(vectors.bundles['P-521']), 'malformed_signature', Object.values(reference));
  });
});

describe('keys', () => {
  test('a signature by an untrusted key', async () => {
    await expectRefusal(await sealed(), 'unknown_key', Object.values(reference));
  });

  test('a P-384 signature tried with a P-256 key', async () => {
    const bundle = referenceBundle('P-384');
    bundle.verificationMaterial = { publicKey: {} };
    await expectRefusal(bundle, 'unknown_key', [reference['P-256']]);
  });

  test('no key is trusted', async () => {
    await expectRefusal(await sealed(), 'unknown_key', []);
  });

  test('rotation: the old and the new key, in either order', async () => {
    const old = await newSigner('P-384');
    const payload = json(await statementOf(files));
    for (const keys of [
      [old.publicKey, signer.publicKey],
      [signer.publicKey, old.publicKey],
    ]) {
      for (const by of [old, signer]) {
        const verified = await verifySignature(json(await by.sign(payload)), keys, files);
        expect(verified.fingerprint).toBe(by.publicKey.fingerprint);
      }
    }
  });

  test.each([
    ['no hint', {}],
    ['an empty hint', { hint: '' }],
    ['null for a hint', { hint: null }],
    ['the hint of a stranger', { hint: 'f'.repeat(64) }],
  ])('%s: every key is tried', async (_, publicKey) => {
    const other = await newSigner();
    const bundle = { ...(await sealed()), verificationMaterial: { publicKey } };
    const keys = [other.publicKey, signer.publicKey];
    const verified = await verifySignature(json(bundle), keys, files);
    expect(verified.fingerprint).toBe(signer.publicKey.fingerprint);
    await expectRefusal(bundle, 'unknown_key', [other.publicKey]);
  });

  test('the hint of another trusted key', async () => {
    const other = await newSigner();
    const bundle = await sealed();
    bundle.verificationMaterial = { publicKey: { hint: other.publicKey.hint } };
    await expectRefusal(bundle, 'wrong_signature', [other.publicKey, signer.publicKey]);
  });

  test('a key inside the bundle is not trusted', async () => {
    const bundle = await sealed();
    bundle.verificationMaterial = { publicKey: { rawBytes: btoa(signer.publicKeyPem) } };
    await expectRefusal(bundle, 'unknown_key', Object.values(reference));
  });
});
