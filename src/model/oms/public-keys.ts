import { sha256Hex } from '../digest.ts';
import { fromBase64, toHex, utf8 } from './bytes.ts';
import { CURVES, type Curve } from './curves.ts';

/** WebCrypto's `CryptoKey`, which the types of Node do not name globally. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A key whose signatures are trusted. */
export interface PublicKey {
  /** SHA-256 of the key in DER (SubjectPublicKeyInfo), 64 hex digits: how the key is shown to people. */
  readonly fingerprint: string;
  /** SHA-256 of the key in PEM, 64 hex digits: how a bundle names its key. */
  readonly hint: string;
  readonly curve: Curve;
  readonly key: Key;
}

/** A text that should hold public keys, and does not. The message names no part of it. */
export class InvalidPublicKey extends Error {
  override readonly name = 'InvalidPublicKey';
}

const BLOCK = /-----BEGIN ([^-]*)-----([^-]*)-----END \1-----/g;

/**
 * The ECDSA P-256 and P-384 keys in this text: one PEM block (RFC 7468) after the other, at least one.
 *
 * @throws {InvalidPublicKey} there is none, one is of another kind, or something else stands between them
 */
export async function parsePublicKeys(text: string): Promise<readonly PublicKey[]> {
  const blocks = [...text.matchAll(BLOCK)];
  if (text.replaceAll(BLOCK, '').trim() !== '') {
    throw new InvalidPublicKey('There is something in the public keys that is not a PEM block.');
  }
  if (blocks.length === 0) throw new InvalidPublicKey('There is no public key.');
  return Promise.all(blocks.map(([, label = '', body = '']) => parseBlock(label, body)));
}

async function parseBlock(label: string, body: string): Promise<PublicKey> {
  if (label.includes('PRIVATE')) {
    throw new InvalidPublicKey(
      'A private key stands where a public key belongs. Take it out; if others could read it, make a new pair.',
    );
  }
  if (label !== 'PUBLIC KEY') throw new InvalidPublicKey(`A PEM block is a ${label}, not a PUBLIC KEY.`);
  const der = fromBase64(body.replaceAll(/\s/g, ''));
  if (!der) throw new InvalidPublicKey('A public key is not base64.');
  const curve = curveOf(der);
  if (!curve) {
    throw new InvalidPublicKey('A public key is not an uncompressed ECDSA key on P-256 or P-384.');
  }
  const [fingerprint, hint, key] = await Promise.all([
    sha256Hex(der),
    sha256Hex(utf8(toPem(der))),
    importKey(der, curve),
  ]);
  return { fingerprint, hint, curve, key };
}

function curveOf(der: Uint8Array): Curve | undefined {
  const hex = toHex(der);
  return CURVES.find(
    ({ spkiPrefix, size }) => hex.startsWith(spkiPrefix) && hex.length === spkiPrefix.length + 4 * size,
  );
}

async function importKey(der: Uint8Array<ArrayBuffer>, curve: Curve): Promise<Key> {
  const algorithm = { name: 'ECDSA', namedCurve: curve.name };
  try {
    return await crypto.subtle.importKey('spki', der, algorithm, false, ['verify']);
  } catch (cause) {
    throw new InvalidPublicKey('A public key is not a point on its curve.', { cause });
  }
}

/** The PEM that key tools write: lines of 64 characters, and a line end after the last one. */
function toPem(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}
