import { expect, test } from 'vitest';
import { sha256Hex } from '../../../../src/model/digest.ts';
import { InvalidPublicKey, parsePublicKeys } from '../../../../src/model/oms/public-keys.ts';
import vectors from './reference-vectors.json';
import { base64, newSigner, pem, unbase64 } from './signer.ts';

const P256 = vectors.publicKeys['P-256'];
const P384 = vectors.publicKeys['P-384'];

const derOf = (text: string) => unbase64(text.replaceAll(/-----.*-----|\s/g, ''));

/** The key with one byte of its DER changed, counted from the end. */
function spoiled(text: string, fromEnd: number): string {
  const der = derOf(text);
  const at = der.byteLength - fromEnd;
  der[at] = (der[at] ?? 0) ^ 1;
  return pem('PUBLIC KEY', der);
}

test.each([
  ['P-256', P256],
  ['P-384', P384],
])('%s: curve, fingerprint of the DER, hint as the reference tool writes it', async (name, text) => {
  const [key] = await parsePublicKeys(text);
  const bundle: { verificationMaterial: { publicKey: { hint: string } } } = JSON.parse(
    name === 'P-256' ? vectors.bundles['P-256'] : vectors.bundles['P-384'],
  );
  expect(key?.curve.name).toBe(name);
  expect(key?.fingerprint).toBe(await sha256Hex(derOf(text)));
  expect(key?.hint).toBe(bundle.verificationMaterial.publicKey.hint);
});

test('multiple keys, in order', async () => {
  const keys = await parsePublicKeys(`\n${P384}\n\n${P256}`);
  expect(keys.map(({ curve }) => curve.name)).toEqual(['P-384', 'P-256']);
});

test.each([
  ['on one line', (text: string) => text.replaceAll('\n', ' ')],
  ['with the line ends of Windows', (text: string) => text.replaceAll('\n', '\r\n')],
  ['in longer lines', (text: string) => text.replaceAll(/(?<!-)\n(?!-)/g, '')],
])('a key %s is the same key, with the same hint', async (_, write) => {
  const [key] = await parsePublicKeys(P256);
  const [rewritten] = await parsePublicKeys(write(P256));
  expect(write(P256)).not.toBe(P256);
  expect([rewritten?.fingerprint, rewritten?.hint]).toEqual([key?.fingerprint, key?.hint]);
});

const secret = base64(new TextEncoder().encode('a secret that must not be shown'));

test.each([
  ['nothing', '', /no public key/],
  ['white space', ' \n ', /no public key/],
  ['something that is no PEM', 'ssh-ed25519 AAAA', /not a PEM block/],
  ['something after a key', `${P256}and more`, /not a PEM block/],
  ['a block that does not end', P256.slice(0, -5), /not a PEM block/],
  ['a block that ends as another', P256.replace('END PUBLIC', 'END PRIVATE'), /not a PEM block/],
  ['a private key', `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`, /private key/],
  ['an EC private key', `-----BEGIN EC PRIVATE KEY-----\n${secret}\n-----END EC PRIVATE KEY-----`, /private key/],
  ['a certificate', pem('CERTIFICATE', derOf(P256)), /CERTIFICATE, not a PUBLIC KEY/],
  ['not base64', '-----BEGIN PUBLIC KEY-----\n%%%%\n-----END PUBLIC KEY-----', /not base64/],
  ['no bytes', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----', /P-256 or P-384/],
  ['a key on P-521', vectors.publicKeys['P-521'], /P-256 or P-384/],
  ['a byte too many', pem('PUBLIC KEY', Uint8Array.of(...derOf(P256), 0)), /P-256 or P-384/],
  ['a byte too few', pem('PUBLIC KEY', derOf(P256).subarray(0, -1)), /P-256 or P-384/],
  ['a compressed point', pem('PUBLIC KEY', derOf(P256).subarray(0, 59)), /P-256 or P-384/],
  ['another curve named', spoiled(P256, 69), /P-256 or P-384/],
  ['a point off P-256', spoiled(P256, 1), /not a point/],
  ['a point off P-384', spoiled(P384, 1), /not a point/],
  ['a bad key after a good one', `${P256}${spoiled(P384, 1)}`, /not a point/],
])('refused: %s', async (_, text, message) => {
  const error: unknown = await parsePublicKeys(text).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidPublicKey);
  expect(String(error)).toMatch(message);
  expect(String(error)).not.toContain(secret);
});

test('a new key', async () => {
  const { publicKeyPem, publicKey } = await newSigner('P-384');
  expect(await parsePublicKeys(publicKeyPem)).toMatchObject([{ fingerprint: publicKey.fingerprint }]);
});
