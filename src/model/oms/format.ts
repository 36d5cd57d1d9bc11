/**
 * The identifiers of OpenSSF Model Signing v1.0: a Sigstore bundle contains a DSSE envelope, which contains an in-toto
 * statement about a model's files.
 *
 * @see https://github.com/ossf/model-signing-spec
 */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'https://model_signing/signature/v1.0';

/** The largest bundle that is parsed; one over two files has 2,000 bytes. */
export const MAX_BUNDLE_BYTES = 65_536;
