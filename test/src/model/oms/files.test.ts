import { describe, expect, test } from 'vitest';
import { verifySignature } from '../../../../src/model/oms/verify.ts';
import { expectRefusal, files, sealed, signer } from './refusal.ts';
import { json, rootDigest, type Statement, statementOf } from './signer.ts';

describe('files with a valid signature', () => {
  /** A bundle over these resources, with a matching root digest. */
  const over = async (
    change: (resources: Statement['predicate']['resources']) => Statement['predicate']['resources'],
  ) => {
    const statement = await statementOf(files);
    const resources = change(statement.predicate.resources);
    const subject = [{ name: 'model', digest: { sha256: await rootDigest(resources) } }];
    return signer.sign(json({ ...statement, subject, predicate: { ...statement.predicate, resources } }));
  };
  const extra = { name: 'extra.bin', algorithm: 'sha256', digest: 'e'.repeat(64) };

  test('another root digest', async () => {
    const spoil = (s: Statement) => ({
      ...s,
      subject: [{ name: 'model', digest: { sha256: '0'.repeat(64) } }],
    });
    await expectRefusal(await sealed(spoil), 'root_digest');
  });

  test('resources in another order than in the root digest', async () => {
    const spoil = (s: Statement) => ({
      ...s,
      predicate: { ...s.predicate, resources: s.predicate.resources.toReversed() },
    });
    await expectRefusal(await sealed(spoil), 'root_digest');
  });

  test('a resource added', async () => {
    await expectRefusal(await over((resources) => [...resources, extra]), 'missing_file');
  });

  test('a resource left out', async () => {
    await expectRefusal(await over((resources) => resources.slice(1)), 'unsigned_file');
  });

  test('a resource renamed', async () => {
    const bundle = await over(([first, ...others]) => (first ? [{ ...first, name: './model.onnx' }, ...others] : []));
    await expectRefusal(bundle, 'missing_file');
  });

  test('two resources with swapped names', async () => {
    const exchanged = await over((resources) =>
      resources.map((resource, index) => ({ ...resource, name: resources[1 - index]?.name ?? '' })),
    );
    await expectRefusal(exchanged, 'file_digest');
  });

  test('a resource named twice, with the same digest and with a different one', async () => {
    await expectRefusal(await over((resources) => [...resources, ...resources]), 'duplicate_resource');
    await expectRefusal(
      await over((resources) => [{ ...extra, name: 'model.onnx' }, ...resources]),
      'duplicate_resource',
    );
  });

  test('an extra file, a missing file, no file', async () => {
    const less = new Map([...files].slice(1));
    await expectRefusal(await sealed(), 'unsigned_file', [signer.publicKey], new Map(files).set('a', 'a'.repeat(64)));
    await expectRefusal(await sealed(), 'missing_file', [signer.publicKey], less);
    await expectRefusal(await sealed(), 'missing_file', [signer.publicKey], new Map());
  });

  test("names of Object.prototype's properties", async () => {
    const named = (name: string) => over(([first]) => (first ? [{ ...first, name }] : []));
    await expectRefusal(await named('__proto__'), 'missing_file');
    await expectRefusal(await named('constructor'), 'missing_file');
  });

  test('the message quotes only the start of a long name', async () => {
    const bundle = await over((resources) => [...resources, { ...extra, name: 'x\n'.repeat(1_000) }]);
    const error: unknown = await verifySignature(json(bundle), [signer.publicKey], files).catch((e: unknown) => e);
    expect(String(error)).not.toContain('\n');
    expect(String(error).length).toBeLessThan(300);
  });
});
