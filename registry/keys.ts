import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { CurveName } from '../src/model/oms/curves.ts';
import { type PublicKey, parsePublicKeys } from '../src/model/oms/public-keys.ts';

/** A key pair in PEM: PKCS#8 and SubjectPublicKeyInfo. */
interface KeyPair {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
}

/** A private key and its public key. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKey;
}

/** Generates a key pair from the system's random source. */
export function generateKeyPair(curve: CurveName): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: curve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { privateKeyPem: privateKey, publicKeyPem: publicKey };
}

/**
 * Parses a signing key in PEM.
 *
 * @throws {Error} it is not a private key, needs a passphrase, or is not an ECDSA key on P-256 or P-384
 */
export async function parseSigningKey(pem: string): Promise<SigningKey> {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw new Error('The signing key is not a private key in PEM without a passphrase.', { cause });
  }
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  try {
    const [publicKey] = await parsePublicKeys(String(spki));
    if (publicKey) return { privateKey, publicKey };
    throw new Error('no key');
  } catch (cause) {
    throw new Error('The signing key is not an ECDSA key on P-256 or P-384.', { cause });
  }
}
