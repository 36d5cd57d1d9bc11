import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../../../src/model/oms/bytes.ts';
import { InvalidSignature } from '../../../../src/model/oms/invalid-signature.ts';
import type { PublicKey } from '../../../../src/model/oms/public-keys.ts';
import { verifySignature } from '../../../../src/model/oms/verify.ts';
import { seeded } from '../../../random.ts';
import vectors from './reference-vectors.json';
import { type Curve, curves, expectRefusal, files, referenceBundle, referenceKeys } from './refusal.ts';
import type { Bundle } from './signer.ts';

let reference: Record<Curve, PublicKey>;

beforeAll(async () => {
  reference = await referenceKeys();
});

describe('one byte changed', () => {
  test.each(curves)('%s: refused, or the same content is verified', async (name) => {
    const original = utf8(vectors.bundles[name]);
    const { dsseEnvelope } = referenceBundle(name);
    const next = seeded(name === 'P-256' ? 1 : 2);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const changed = original.slice();
      const at = Math.floor(next() * changed.byteLength);
      changed[at] = round % 2 ? Math.floor(next() * 256) : (changed[at] ?? 0) ^ (1 << Math.floor(next() * 8));
      try {
        const verified = await verifySignature(changed, [reference[name]], files);
        expect(verified).toEqual({ fingerprint: reference[name].fingerprint });
        const accepted: Bundle = JSON.parse(new TextDecoder().decode(changed));
        expect(accepted.dsseEnvelope.payload).toBe(dsseEnvelope.payload);
        expect(accepted.dsseEnvelope.signatures[0]?.sig).toBe(dsseEnvelope.signatures[0]?.sig);
      } catch (error) {
        expect(error, `byte ${at} is now ${changed[at]}`).toBeInstanceOf(InvalidSignature);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(350);
  });

  test('truncated anywhere: refused', async () => {
    const original = utf8(vectors.bundles['P-256']);
    for (let length = 0; length < original.byteLength; length += 7) {
      await expectRefusal(original.subarray(0, length), 'not_json', [reference['P-256']]);
    }
  });
});
