import { beforeAll, describe, expect, test } from 'vitest';
import { concat, utf8 } from '../../../../src/model/oms/bytes.ts';
import { MAX_BUNDLE_BYTES } from '../../../../src/model/oms/format.ts';
import type { PublicKey } from '../../../../src/model/oms/public-keys.ts';
import { verifySignature } from '../../../../src/model/oms/verify.ts';
import vectors from './reference-vectors.json';
import {
  type Curve,
  expectRefusal,
  files,
  referenceBundle,
  referenceKeys,
  sealed,
  signer,
  verify,
  withByte,
} from './refusal.ts';
import { type Bundle, json, statementOf } from './signer.ts';

let reference: Record<Curve, PublicKey>;

beforeAll(async () => {
  reference = await referenceKeys();
});

/** A bundle whose key id is `#`, which is ignored. */
const keyId = (bundle: string): string => bundle.replace('"keyid":""', '"keyid":"#"');

describe('the bundle', () => {
  test('larger than the limit', async () => {
    const text = JSON.stringify(await sealed());
    const largest = utf8(text.padEnd(MAX_BUNDLE_BYTES));
    expect(await verifySignature(largest, [signer.publicKey], files)).toBeDefined();
    await expectRefusal(utf8(text.padEnd(MAX_BUNDLE_BYTES + 1)), 'too_large');
  });

  test.each([
    ['empty', new Uint8Array()],
    ['no JSON', utf8('model')],
    ['cut short', utf8(vectors.bundles['P-256'].slice(0, -1))],
    ['not UTF-8, in a part that is not looked at', withByte(utf8(keyId(vectors.bundles['P-256'])), '#', 0xff)],
    ['with a byte order mark', concat([Uint8Array.of(0xef, 0xbb, 0xbf), utf8(vectors.bundles['P-256'])])],
    ['brackets without end', utf8('['.repeat(MAX_BUNDLE_BYTES))],
  ])('%s', async (_, bytes) => {
    await expectRefusal(bytes, 'not_json', [reference['P-256']]);
  });

  test.each([
    ['no object', '[]'],
    ['null', 'null'],
    ['without a media type', '{}'],
    ['of another version', '{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.2"}'],
    ['nested deeply', '['.repeat(30_000) + ']'.repeat(30_000)],
  ])('media type: %s', async (_, text) => {
    await expectRefusal(utf8(text), 'media_type');
  });

  test('deeply nested in an ignored part', async () => {
    const text = JSON.stringify(await sealed());
    const deep = text.replace('"tlogEntries":[]', `"tlogEntries":${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    expect(deep.length).toBeGreaterThan(60_000);
    expect(await verifySignature(utf8(deep), [signer.publicKey], files)).toBeDefined();
  });

  test('a media type of another version, otherwise valid', async () => {
    const mediaType = 'application/vnd.dev.sigstore.bundle.v0.4+json';
    await expectRefusal({ ...(await sealed()), mediaType }, 'media_type');
  });

  test.each([
    ['a field too many', (bundle: Bundle) => ({ ...bundle, messageSignature: {} })],
    ['no envelope', ({ dsseEnvelope: _, ...rest }: Bundle) => rest],
    ['an envelope with a field too many', envelope({ extra: 1 })],
    ['no payload', envelope({ payload: undefined })],
    ['an empty payload', envelope({ payload: '' })],
    ['a payload that is not base64', envelope({ payload: '{}' })],
    ['signatures that are no list', envelope({ signatures: {} })],
    ['a signature without bytes', envelope({ signatures: [{ keyid: '' }] })],
    ['a signature with a field too many', envelope({ signatures: [{ sig: 'AAAA', cert: '' }] })],
    ['a hint that is no text', (bundle: Bundle) => ({ ...bundle, verificationMaterial: { publicKey: { hint: 1 } } })],
  ])('malformed: %s', async (_, spoil) => {
    await expectRefusal(json(spoil(await sealed())), 'malformed_bundle');
  });

  function envelope(changed: object) {
    return (bundle: Bundle) => ({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, ...changed } });
  }

  test('whitespace in base64', async () => {
    const loosePayload = referenceBundle('P-256');
    loosePayload.dsseEnvelope.payload += '\n';
    await expectRefusal(loosePayload, 'malformed_bundle', [reference['P-256']]);
    const looseSignature = referenceBundle('P-256');
    const [signature] = looseSignature.dsseEnvelope.signatures;
    looseSignature.dsseEnvelope.signatures = [{ sig: `${signature?.sig}\n` }];
    await expectRefusal(looseSignature, 'malformed_signature', [reference['P-256']]);
  });

  test.each([
    ['one certificate', { certificate: { rawBytes: 'AAAA' } }],
    ['a chain of certificates', { x509CertificateChain: { certificates: [] } }],
    ['nothing that names a key', {}],
  ])('another method: %s', async (_, verificationMaterial) => {
    await expectRefusal({ ...(await sealed()), verificationMaterial }, 'method');
  });

  test.each(['certificate', 'x509CertificateChain'])('a %s next to the key', async (field) => {
    const bundle = await sealed();
    bundle.verificationMaterial[field] = {};
    await expectRefusal(bundle, 'method');
  });

  test('no signature, and two signatures', async () => {
    const bundle = await sealed();
    const { signatures } = bundle.dsseEnvelope;
    const twice = {
      ...bundle,
      dsseEnvelope: { ...bundle.dsseEnvelope, signatures: [...signatures, ...signatures] },
    };
    const none = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures: [] } };
    await expectRefusal(twice, 'signature_count');
    await expectRefusal(none, 'signature_count');
  });

  test('another payload type, signed as such', async () => {
    const payload = json(await statementOf(files));
    await expectRefusal(await signer.sign(payload, 'application/json'), 'payload_type');
  });

  test('a payload that was signed as another type', async () => {
    const bundle = await signer.sign(json(await statementOf(files)), 'application/json');
    bundle.dsseEnvelope.payloadType = 'application/vnd.in-toto+json';
    await expectRefusal(bundle, 'wrong_signature');
  });

  test.each([
    ['no key id', {}],
    ['null for one', { keyid: null }],
    ['one of its own', { keyid: 'mine' }],
  ])('key id: %s is fine', async (_, keyid) => {
    const bundle = await sealed();
    const [signature] = bundle.dsseEnvelope.signatures;
    const signatures = [{ sig: signature?.sig, ...keyid }];
    const changed = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures } };
    expect(await verify(changed)).toBeDefined();
  });
});
