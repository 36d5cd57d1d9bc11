import { sha256Hex } from '../digest.ts';
import { fromBase64, toHex, utf8 } from './bytes.ts';
import { CURVES, type Curve } from './curves.ts';

/** WebCrypto's `CryptoKey`, which the types of Node do not name globally. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A key whose signatures are trusted. */
export interface PublicKey {
  /** SHA-256 of the key in DER (SubjectPublicKeyInfo), 64 hex digits: the key as people see it. */
  readonly fingerprint: string;
  /** SHA-256 of the key in PEM, 64 hex digits: the key as a bundle names it. */
  readonly hint: string;
  readonly curve: Curve;
  readonly key: Key;
}

/** The text does not hold valid public keys. The message quotes no part of it. */
export class InvalidPublicKey extends Error {
  override readonly name = 'InvalidPublicKey';
}

const BLOCK = /-----BEGIN ([^-]*)-----([^-]*)-----END \1-----/g;

/**
 * Parses ECDSA P-256 and P-384 keys: one or more PEM blocks (RFC 7468).
 *
 * @throws {InvalidPublicKey} there is none, one is of another type, or there is other text between them
 */
export async function parsePublicKeys(text: string): Promise<readonly PublicKey[]> {
  const blocks = [...text.matchAll(BLOCK)];
  if (text.replaceAll(BLOCK, '').trim() !== '') {
    throw new InvalidPublicKey('The public keys contain text that is not a PEM block.');
  }
  if (blocks.length === 0) throw new InvalidPublicKey('There is no public key.');
  return Promise.all(blocks.map(([, label = '', body = '']) => parseBlock(label, body)));
}

async function parseBlock(label: string, body: string): Promise<PublicKey> {
  if (label.includes('PRIVATE')) {
    throw new InvalidPublicKey(
      'A private key is in place of a public key. Remove it; if others could read it, generate a new pair.',
    );
  }
  if (label !== 'PUBLIC KEY') throw new InvalidPublicKey(`A PEM block is a ${label}, not a PUBLIC KEY.`);
  const der = fromBase64(body.replaceAll(/\s/g, ''));
  if (!der) throw new InvalidPublicKey('A public key is not base64.');
  const curve = findCurve(der);
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

function findCurve(der: Uint8Array): Curve | undefined {
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

/** Encodes PEM as key tools do: lines of 64 characters, each with a line end. */
function toPem(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}
