/** Why a signature is refused: a closed set, in the order of the checks. */
export type InvalidSignatureReason =
  /** More bytes than a bundle may have. */
  | 'too_large'
  /** Not UTF-8, or not JSON. */
  | 'not_json'
  /** Another kind or version of bundle. */
  | 'media_type'
  /** A Sigstore bundle, but not of the form that the format asks for. */
  | 'malformed_bundle'
  /** Signed with a certificate instead of a bare key. */
  | 'method'
  /** No signature, or more than one. */
  | 'signature_count'
  | 'payload_type'
  /** Not a pair of positive integers in strict DER. */
  | 'malformed_signature'
  /** Names no trusted key, and none of them has signed this. */
  | 'unknown_key'
  /** Names a trusted key, which has not signed this. */
  | 'wrong_signature'
  /** Signed, but not a statement of the form that the format asks for. */
  | 'malformed_statement'
  | 'statement_type'
  | 'predicate_type'
  /** Files were split or hashed in a way that is not supported here. */
  | 'serialization'
  /** The subject is not the digest of the resources. */
  | 'root_digest'
  | 'duplicate_resource'
  /** A signed file is not there. */
  | 'missing_file'
  /** A file is there that was not signed. */
  | 'unsigned_file'
  /** A file is not the one that was signed. */
  | 'file_digest';

/** A signature that does not prove that a trusted key has signed exactly these files. */
export class InvalidSignature extends Error {
  override readonly name = 'InvalidSignature';
  readonly reason: InvalidSignatureReason;

  constructor(reason: InvalidSignatureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
