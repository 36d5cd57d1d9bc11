/** Why a signature is refused, in the order of the checks. */
export type InvalidSignatureReason =
  /** Larger than a bundle may be. */
  | 'too_large'
  /** Not UTF-8, or not JSON. */
  | 'not_json'
  /** Another type or version of bundle. */
  | 'media_type'
  /** A Sigstore bundle, but not as the format requires. */
  | 'malformed_bundle'
  /** Signed with a certificate instead of a bare key. */
  | 'method'
  /** None, or more than one. */
  | 'signature_count'
  | 'payload_type'
  /** Not a pair of positive integers in strict DER. */
  | 'malformed_signature'
  /** Names no trusted key, and none of them signed this. */
  | 'unknown_key'
  /** Names a trusted key, which did not sign this. */
  | 'wrong_signature'
  /** Signed, but not a statement as the format requires. */
  | 'malformed_statement'
  | 'statement_type'
  | 'predicate_type'
  /** The files were split or hashed in an unsupported way. */
  | 'serialization'
  /** The subject is not the digest of the resources. */
  | 'root_digest'
  | 'duplicate_resource'
  /** A signed file is missing. */
  | 'missing_file'
  /** A file was not signed. */
  | 'unsigned_file'
  /** A file differs from the signed one. */
  | 'file_digest';

/** The signature does not prove that a trusted key signed exactly these files. */
export class InvalidSignature extends Error {
  override readonly name = 'InvalidSignature';
  readonly reason: InvalidSignatureReason;

  constructor(reason: InvalidSignatureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
