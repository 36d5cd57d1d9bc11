import { expect } from 'vitest';
import { InvalidSignature, type InvalidSignatureReason } from '../../../../src/model/oms/invalid-signature.ts';
import { type PublicKey, parsePublicKeys } from '../../../../src/model/oms/public-keys.ts';
import { type Verified, verifySignature } from '../../../../src/model/oms/verify.ts';
import vectors from './reference-vectors.json';
import { type Bundle, json, newSigner, type Statement, statementOf } from './signer.ts';

/** The files that the reference tool signed: names and digests. */
export const files: ReadonlyMap<string, string> = new Map(Object.entries(vectors.files));

export const curves = ['P-256', 'P-384'] as const;
export type Curve = (typeof curves)[number];

/** The reference tool's public keys. */
export async function referenceKeys(): Promise<Record<Curve, PublicKey>> {
  const [p256, p384] = await parsePublicKeys(vectors.publicKeys['P-256'] + vectors.publicKeys['P-384']);
  if (!p256 || !p384) throw new Error('no keys');
  return { 'P-256': p256, 'P-384': p384 };
}

/** A new copy of the reference tool's bundle. */
export const referenceBundle = (curve: Curve): Bundle => JSON.parse(vectors.bundles[curve]);

/** Signs anything, so that only the check under test can refuse it. */
export const signer = await newSigner();

/** A bundle with a valid signature over a statement that `spoil` may change. */
export async function sealed(spoil: (statement: Statement) => unknown = (statement) => statement): Promise<Bundle> {
  return signer.sign(json(spoil(await statementOf(files))));
}

/** Verifies a bundle by `signer`. */
export const verify = (bundle: unknown): Promise<Verified> => verifySignature(json(bundle), [signer.publicKey], files);

/** Expects the bundle to be refused for this reason. */
export async function expectRefusal(
  bundle: unknown,
  reason: InvalidSignatureReason,
  keys: readonly PublicKey[] = [signer.publicKey],
  present = files,
): Promise<void> {
  const bytes = bundle instanceof Uint8Array ? bundle : json(bundle);
  const error: unknown = await verifySignature(bytes, keys, present).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidSignature);
  expect(error).toMatchObject({ reason });
}

/** Replaces the first occurrence of a character. */
export function withByte(bytes: Uint8Array, character: string, byte: number): Uint8Array {
  const changed = bytes.slice();
  const at = changed.indexOf(character.charCodeAt(0));
  if (at < 0) throw new Error(`there is no ${character}`);
  changed[at] = byte;
  return changed;
}
