import { sha256Hex } from '../digest.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import { concat, fromHex } from './bytes.ts';
import { toRawSignature } from './der.ts';
import { preAuthenticationEncoding } from './dsse.ts';
import { PAYLOAD_TYPE } from './format.ts';
import { InvalidSignature } from './invalid-signature.ts';
import type { PublicKey } from './public-keys.ts';
import { parseStatement, type Resource, type Statement } from './statement.ts';

/** Who has signed. */
export interface Verified {
  /** The fingerprint of the key, 64 hex digits. */
  readonly fingerprint: string;
}

/**
 * Proves that one of the keys has signed exactly these files, by OpenSSF Model Signing v1.0 with the method `key`.
 * Nothing that the bundle says is believed before its signature is proved.
 *
 * @param bundle the content of model.sig
 * @param keys the keys that are trusted
 * @param files the name of each of the model's files and its SHA-256 (64 hex digits), computed by the caller
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
 * The key that has signed. The hint is not signed: it only says which key to try. One that names none of the keys
 * may have been made by a tool that hashes otherwise, so then all are tried.
 */
async function findSigner(
  { payload, signature, hint }: Bundle,
  keys: readonly PublicKey[],
): Promise<PublicKey> {
  const message = preAuthenticationEncoding(PAYLOAD_TYPE, payload);
  const named = keys.filter((key) => key.hint === hint);
  for (const candidate of named.length > 0 ? named : keys) {
    const raw = toRawSignature(signature, candidate.curve);
    const algorithm = { name: 'ECDSA', hash: candidate.curve.hash };
    if (raw && (await crypto.subtle.verify(algorithm, candidate.key, raw, message))) return candidate;
  }
  if (named.length > 0) {
    throw new InvalidSignature('wrong_signature', 'The signature is not by the key that it names.');
  }
  throw new InvalidSignature('unknown_key', 'The signature is by none of the trusted keys.');
}

/** The root digest: SHA-256 over the resources' digests in their order. */
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
      throw new InvalidSignature(
        'missing_file',
        `The signature is over ${quoted(name)} too, which is not there.`,
      );
    }
    if (actual !== digest) {
      throw new InvalidSignature('file_digest', `${quoted(name)} is not the file that was signed.`);
    }
  }
  for (const name of files.keys()) {
    if (!signed.has(name)) throw new InvalidSignature('unsigned_file', `${quoted(name)} is not signed.`);
  }
}

/** A name from outside, fit for a log line. */
const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));
