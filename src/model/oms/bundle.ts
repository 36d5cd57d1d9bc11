import * as z from 'zod';
import { fromBase64 } from './bytes.ts';
import { type EcdsaSignature, parseDerSignature } from './der.ts';
import { BUNDLE_MEDIA_TYPE, MAX_BUNDLE_BYTES, PAYLOAD_TYPE } from './format.ts';
import { InvalidSignature } from './invalid-signature.ts';
import { parseJson } from './json.ts';

/** The content of a bundle, unverified. */
export interface Bundle {
  /** The signed bytes: a JSON statement of type `PAYLOAD_TYPE`. */
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly signature: EcdsaSignature;
  /** The key that it claims to be signed with. */
  readonly hint: string | undefined;
}

const Typed = z.looseObject({ mediaType: z.string() });

/** As strict and as loose as the format's own JSON Schema. Nothing trusted is ignored. */
const SigstoreBundle = z.strictObject({
  mediaType: z.string(),
  verificationMaterial: z.looseObject({
    publicKey: z.looseObject({ hint: z.string().nullish() }).optional(),
    certificate: z.unknown().optional(),
    x509CertificateChain: z.unknown().optional(),
    tlogEntries: z.array(z.unknown()).optional(),
  }),
  dsseEnvelope: z.strictObject({
    payload: z.string().min(1),
    payloadType: z.string(),
    signatures: z.array(z.strictObject({ sig: z.string().min(1), keyid: z.string().nullish() })),
  }),
});

/**
 * Parses a bundle.
 *
 * @throws {InvalidSignature} with a reason from `too_large` to `malformed_signature`
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  if (bytes.byteLength > MAX_BUNDLE_BYTES) {
    throw new InvalidSignature('too_large', `The signature is larger than ${MAX_BUNDLE_BYTES} bytes.`);
  }
  const json = parseJson(bytes, 'not_json', 'The signature is not JSON.');

  const typed = Typed.safeParse(json);
  if (typed.data?.mediaType !== BUNDLE_MEDIA_TYPE) {
    throw new InvalidSignature('media_type', 'The signature is not a Sigstore bundle of version 0.3.');
  }
  const parsed = SigstoreBundle.safeParse(json);
  if (!parsed.success) {
    throw new InvalidSignature('malformed_bundle', 'The signature is not a well-formed Sigstore bundle.', {
      cause: parsed.error,
    });
  }
  const { verificationMaterial: material, dsseEnvelope: envelope } = parsed.data;

  if (!material.publicKey || 'certificate' in material || 'x509CertificateChain' in material) {
    throw new InvalidSignature('method', 'The model is not signed with a bare key, the only accepted method.');
  }
  const [signature, ...others] = envelope.signatures;
  if (!signature || others.length > 0) {
    const count = envelope.signatures.length;
    throw new InvalidSignature('signature_count', `The bundle holds ${count} signatures instead of one.`);
  }
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    throw new InvalidSignature('payload_type', 'The payload is not an in-toto statement.');
  }
  const payload = fromBase64(envelope.payload);
  if (!payload) throw new InvalidSignature('malformed_bundle', 'The payload is not base64.');
  const der = fromBase64(signature.sig);
  const pair = der && parseDerSignature(der);
  if (!pair) {
    throw new InvalidSignature('malformed_signature', 'The signature is not ECDSA on P-256 or P-384 in DER.');
  }
  return { payload, signature: pair, hint: material.publicKey.hint ?? undefined };
}
