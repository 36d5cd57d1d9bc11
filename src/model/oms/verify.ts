import { sha256Hex } from '../digest.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import { concat, fromHex } from './bytes.ts';
import { toRawSignature } from './der.ts';
import { preAuthenticationEncoding } from './dsse.ts';
import { PAYLOAD_TYPE } from './format.ts';
import { InvalidSignature } from './invalid-signature.ts';
import type { PublicKey } from './public-keys.ts';
import { parseStatement, type Resource, type Statement } from './statement.ts';

export interface Verified {
  /** Fingerprint of the key that signed, 64 hex digits. */
  readonly fingerprint: string;
}

/**
 * Verifies that one of the keys signed exactly these files, according to OpenSSF Model Signing v1.0 with the method
 * `key`. Nothing in the bundle is trusted before its signature is verified.
 *
 * @param bundle the content of model.sig
 * @param keys the trusted keys
 * @param files the model's files by name, with the SHA-256 (64 hex digits) that the caller computed
 * @throws {InvalidSignature} for any other bundle; nothing else is thrown
 */
export async function verifySignature(
  bundle: Uint8Array,
  keys: readonly PublicKey[],
  files: ReadonlyMap<string, string>,
): Promise<Verified> {
  const envelope = parseBundle(bundle);
  const { fingerprint } = await findSigner(envelope, keys);
  const statement = parseStatement(envelope.payload);
  await checkRootDigest(statement);
  checkFiles(statement.resources, files);
  return { fingerprint };
}

/**
 * Finds the key that signed. The hint is not signed: it only suggests which key to try. If it names no trusted key, try
 * all, since the signer's tool may hash keys differently.
 */
async function findSigner({ payload, signature, hint }: Bundle, keys: readonly PublicKey[]): Promise<PublicKey> {
  const message = preAuthenticationEncoding(PAYLOAD_TYPE, payload);
  const named = keys.filter((key) => key.hint === hint);
  for (const candidate of named.length > 0 ? named : keys) {
    const raw = toRawSignature(signature, candidate.curve);
    const algorithm = { name: 'ECDSA', hash: candidate.curve.hash };
    if (raw && (await crypto.subtle.verify(algorithm, candidate.key, raw, message))) return candidate;
  }
  if (named.length > 0) {
    throw new InvalidSignature('wrong_signature', 'The signature was not made by the key that it names.');
  }
  throw new InvalidSignature('unknown_key', 'The signature was not made by a trusted key.');
}

/** The root digest is the SHA-256 of the resources' digests in order. */
async function checkRootDigest({ resources, rootDigest }: Statement): Promise<void> {
  const digests = concat(resources.map(({ digest }) => fromHex(digest)));
  if ((await sha256Hex(digests)) !== rootDigest) {
    throw new InvalidSignature('root_digest', 'The subject is not the digest of the resources.');
  }
}

function checkFiles(resources: readonly Resource[], files: ReadonlyMap<string, string>): void {
  const signed = new Map(resources.map(({ name, digest }) => [name, digest]));
  if (signed.size < resources.length) {
    throw new InvalidSignature('duplicate_resource', 'The signature names a file twice.');
  }
  for (const [name, digest] of signed) {
    const actual = files.get(name);
    if (actual === undefined) {
      throw new InvalidSignature('missing_file', `The signature covers ${quote(name)}, which is missing.`);
    }
    if (actual !== digest) {
      throw new InvalidSignature('file_digest', `${quote(name)} is not the file that was signed.`);
    }
  }
  for (const name of files.keys()) {
    if (!signed.has(name)) throw new InvalidSignature('unsigned_file', `${quote(name)} is not signed.`);
  }
}

/** Makes an untrusted name fit for a log line. */
const quote = (name: string): string => JSON.stringify(name.slice(0, 100));
