import { sha256Hex } from '../../../../src/model/digest.ts';
import { concat, toHex, utf8 } from '../../../../src/model/oms/bytes.ts';
import { CURVES, type CurveName } from '../../../../src/model/oms/curves.ts';
import { preAuthenticationEncoding } from '../../../../src/model/oms/dsse.ts';
import { type PublicKey, parsePublicKeys } from '../../../../src/model/oms/public-keys.ts';

/** The parts of a statement that tests change before signing. */
export interface Statement {
  _type: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicateType: string;
  predicate: {
    serialization: Record<string, unknown>;
    resources: { name: string; algorithm: string; digest: string }[];
  };
}

/** A bundle as JSON, which tests may change into anything. */
export interface Bundle {
  mediaType: string;
  verificationMaterial: Record<string, unknown>;
  dsseEnvelope: {
    payload: string;
    payloadType: string;
    signatures: { sig: string; keyid?: string | null }[];
  };
}

export interface Signer {
  readonly publicKey: PublicKey;
  readonly publicKeyPem: string;
  /** A bundle with a valid signature over any payload. */
  sign(payload: Uint8Array, payloadType?: string): Promise<Bundle>;
}

/** A signer with a new key, from WebCrypto: independent of the signing tool. */
export async function newSigner(curveName: CurveName = 'P-256'): Promise<Signer> {
  const curve = CURVES.find(({ name }) => name === curveName);
  if (!curve) throw new Error(curveName);
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve.name }, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('not a pair');
  const spki = await crypto.subtle.exportKey('spki', pair.publicKey);
  if (!(spki instanceof ArrayBuffer)) throw new Error('not DER');
  const publicKeyPem = pem('PUBLIC KEY', new Uint8Array(spki));
  const [publicKey] = await parsePublicKeys(publicKeyPem);
  if (!publicKey) throw new Error('no key');
  return {
    publicKey,
    publicKeyPem,
    async sign(payload, payloadType = 'application/vnd.in-toto+json') {
      const message = preAuthenticationEncoding(payloadType, payload);
      const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: curve.hash }, pair.privateKey, message);
      return {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: publicKey.hint }, tlogEntries: [] },
        dsseEnvelope: {
          payload: base64(payload),
          payloadType,
          signatures: [{ sig: base64(toDer(new Uint8Array(raw))), keyid: '' }],
        },
      };
    },
  };
}

/** A valid statement about these files. */
export async function statementOf(files: ReadonlyMap<string, string>): Promise<Statement> {
  const resources = [...files].map(([name, digest]) => ({ name, algorithm: 'sha256', digest }));
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'model', digest: { sha256: await rootDigest(resources) } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: {
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false },
      resources,
    },
  };
}

export async function rootDigest(resources: readonly { digest: string }[]): Promise<string> {
  const hex = resources.map(({ digest }) => digest).join('');
  return sha256Hex(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
}

export const json = (value: unknown): Uint8Array<ArrayBuffer> => utf8(JSON.stringify(value));

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export const unbase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

export function pem(label: string, der: Uint8Array): string {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Encodes a WebCrypto signature in DER. */
export function toDer(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = raw.byteLength / 2;
  return element(0x30, concat([integer(raw.subarray(0, half)), integer(raw.subarray(half))]));
}

/** Encodes a DER element; `value` is shorter than 128 bytes. */
export const element = (tag: number, value: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat([Uint8Array.of(tag, value.byteLength), value]);

/** Encodes a big-endian integer in DER. */
export function integer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const hex = toHex(bytes).replace(/^(00)+(?=..)/, '');
  const value = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return element(0x02, (value[0] ?? 0) >= 0x80 ? concat([Uint8Array.of(0), value]) : value);
}
