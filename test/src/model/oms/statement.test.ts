import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../../src/model/oms/bytes.ts';
import { expectRefusal, files, sealed, signer, verify, withByte } from './refusal.ts';
import { json, newSigner, type Statement, statementOf } from './signer.ts';

describe('a statement with a valid signature', () => {
  test('good', async () => {
    const verified = await verify(await sealed());
    expect(verified).toEqual({ fingerprint: signer.publicKey.fingerprint });
  });

  test('is parsed only if its signature is valid', async () => {
    const bundle = await sealed(() => 'no statement');
    const other = await newSigner();
    await expectRefusal(bundle, 'unknown_key', [other.publicKey]);
  });

  test('malformed: not UTF-8', async () => {
    const statement = await statementOf(files);
    const named = { ...statement, subject: [{ ...statement.subject[0], name: '#' }] };
    const payload = withByte(json(named), '#', 0xff);
    await expectRefusal(await signer.sign(payload), 'malformed_statement');
  });

  test.each([
    ['no JSON', utf8('{')],
    ['no object', utf8('1')],
    ['without types', utf8('{}')],
    ['nested deeply', utf8('['.repeat(20_000) + ']'.repeat(20_000))],
  ])('malformed: %s', async (_, payload) => {
    await expectRefusal(await signer.sign(payload), 'malformed_statement');
  });

  const sha512 = 'a'.repeat(128);
  test.each([
    ['a field too many', (s: Statement) => ({ ...s, extra: 1 })],
    ['no subject', (s: Statement) => ({ ...s, subject: [] })],
    ['two subjects', (s: Statement) => ({ ...s, subject: [...s.subject, ...s.subject] })],
    ['a subject without SHA-256', (s: Statement) => ({ ...s, subject: [{ name: 'm', digest: { sha512 } }] })],
    ['a predicate with a field too many', predicate({ extra: 1 })],
    ['no serialization', predicate({ serialization: undefined })],
    ['a serialization with a field too many', serialization({ shard_size: 1 })],
    ['symlinks that are neither allowed nor not', serialization({ allow_symlinks: 'false' })],
    ['ignored paths that are no list', serialization({ ignore_paths: '.git' })],
    ['no resources', predicate({ resources: [] })],
    ['a resource without a name', resource({ name: '' })],
    ['a digest in capitals', resource({ digest: 'A'.repeat(64) })],
    ['a digest that is too short', resource({ digest: 'aa' })],
  ])('malformed: %s', async (_, spoil) => {
    await expectRefusal(await sealed(spoil), 'malformed_statement');
  });

  test.each([
    [
      'another statement type',
      (s: Statement) => ({ ...s, _type: 'https://in-toto.io/Statement/v0.1' }),
      'statement_type',
    ],
    [
      'another predicate type',
      (s: Statement) => ({ ...s, predicateType: 'https://model_signing/signature/v1.1' }),
      'predicate_type',
    ],
    [
      'the predicate of version 0.2 of the reference tool',
      ({ predicate: { resources }, ...s }: Statement) => ({
        ...s,
        subject: resources.map(({ name, digest }) => ({ name, digest: { sha256: digest } })),
        predicateType: 'https://model_signing/Digests/v0.1',
        predicate: { unused: '' },
      }),
      'predicate_type',
    ],
    ['the method of shards', serialization({ method: 'shards' }), 'serialization'],
    ['another hash', serialization({ hash_type: 'blake3' }), 'serialization'],
    ['another hash for one resource', resource({ algorithm: 'blake3' }), 'serialization'],
  ] as const)('%s', async (_, spoil, reason) => {
    await expectRefusal(await sealed(spoil), reason);
  });

  test.each([
    ['symlinks allowed', serialization({ allow_symlinks: true })],
    ['paths ignored', serialization({ ignore_paths: ['.git', 'model.sig'] })],
    ['more known of a resource', resource({ annotations: { size: 3 } })],
    ['more known of the subject', (s: Statement) => ({ ...s, subject: [{ ...s.subject[0], uri: 'x:y' }] })],
  ])('accepted: %s', async (_, change) => {
    expect(await verify(await sealed(change))).toBeDefined();
  });

  function predicate(changed: object) {
    return (s: Statement) => ({ ...s, predicate: { ...s.predicate, ...changed } });
  }

  function serialization(changed: object) {
    return (s: Statement) => predicate({ serialization: { ...s.predicate.serialization, ...changed } })(s);
  }

  function resource(changed: object) {
    return (s: Statement) => {
      const [first, ...others] = s.predicate.resources;
      return predicate({ resources: [{ ...first, ...changed }, ...others] })(s);
    };
  }
});
