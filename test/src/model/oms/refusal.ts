import { expect } from 'vitest';
import {
  InvalidSignature,
  type InvalidSignatureReason,
} from '../../../../src/model/oms/invalid-signature.ts';
import { type PublicKey, parsePublicKeys } from '../../../../src/model/oms/public-keys.ts';
import { type Verified, verifySignature } from '../../../../src/model/oms/verify.ts';
import vectors from './reference-vectors.json';
import { type Bundle, json, newSigner, type Statement, statementOf } from './signer.ts';

/** What the reference tool has signed: names and digests. */
export const files: ReadonlyMap<string, string> = new Map(Object.entries(vectors.files));

export const curves = ['P-256', 'P-384'] as const;
export type Curve = (typeof curves)[number];

/** The reference tool's public keys. */
export async function referenceKeys(): Promise<Record<Curve, PublicKey>> {
  const [p256, p384] = await parsePublicKeys(vectors.publicKeys['P-256'] + vectors.publicKeys['P-384']);
  if (!p256 || !p384) throw new Error('no keys');
  return { 'P-256': p256, 'P-384': p384 };
}

/** The reference tool's bundle, fresh for a test to spoil. */
export const referenceBundle = (curve: Curve): Bundle => JSON.parse(vectors.bundles[curve]);

/** Signs whatever a test wants, so that only the check in question can refuse it. */
export const signer = await newSigner();

/** A bundle with a good signature over a good statement, or over what `spoil` makes of it. */
export async function sealed(
  spoil: (statement: Statement) => unknown = (statement) => statement,
): Promise<Bundle> {
  return signer.sign(json(spoil(await statementOf(files))));
}

/** Verifies a bundle by `signer`. */
export const verify = (bundle: unknown): Promise<Verified> =>
  verifySignature(json(bundle), [signer.publicKey], files);

/** Sees to it that the bundle is refused, for this reason and with no other error. */
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

/** The bytes with the first of these characters replaced. */
export function withByte(bytes: Uint8Array, character: string, byte: number): Uint8Array {
  const changed = bytes.slice();
  const at = changed.indexOf(character.charCodeAt(0));
  if (at < 0) throw new Error(`there is no ${character}`);
  changed[at] = byte;
  return changed;
}
