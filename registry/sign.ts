/**
 * `npm run model:sign -- [FOLDER] --key FILE`
 *
 * Signs the version in a folder with a key, according to OpenSSF Model Signing v1.0, and writes model.sig next to it.
 */
import { randomUUID, sign } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shortVersion } from '../src/model/layout.ts';
import { preAuthenticationEncoding } from '../src/model/oms/dsse.ts';
import { BUNDLE_MEDIA_TYPE, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE } from '../src/model/oms/format.ts';
import { runCommand } from './command.ts';
import { parseSigningKey, type SigningKey } from './keys.ts';
import { RELEASE_FOLDER, type Release, readRelease, sha256 } from './release.ts';

export const SIGNATURE_FILE = 'model.sig';

/** The paths that the format never signs, and the signature itself. Each bundle lists them. */
export const UNSIGNED_PATHS: readonly string[] = ['.git', '.gitattributes', '.github', '.gitignore', SIGNATURE_FILE];

/**
 * Signs the files of a version: the content of model.sig. ECDSA draws a random number, so no two signatures are
 * equal.
 */
export function createSignature(release: Release, key: SigningKey): Buffer {
  const payload = Buffer.from(JSON.stringify(statementOf(release)));
  const signature = sign(key.publicKey.curve.hash, preAuthenticationEncoding(PAYLOAD_TYPE, payload), key.privateKey);
  const bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: key.publicKey.hint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    },
  };
  return Buffer.from(`${JSON.stringify(bundle)}\n`);
}

function statementOf({ version, files }: Release): object {
  const resources = [...files]
    .map(([name, { sha256: digest }]) => ({ name, algorithm: 'sha256', digest }))
    .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
  const digests = Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex')));
  return {
    _type: STATEMENT_TYPE,
    // The name of the folder: a version is served from models/<version>/.
    subject: [{ name: version, digest: { sha256: sha256(digests) } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: UNSIGNED_PATHS,
      },
      resources,
    },
  };
}

interface Signed {
  readonly release: Release;
  /** SHA-256 of the public key in DER, 64 hex digits. */
  readonly fingerprint: string;
}

/**
 * Signs the version in the folder and writes model.sig, replacing an existing one atomically.
 *
 * @throws {ModelUntrusted} the folder holds no valid version
 * @throws {Error} the folder holds files that the signature would not cover, or the key is not a private key on P-256
 *   or P-384
 */
export async function signRelease(folder: string, privateKeyPem: string): Promise<Signed> {
  const key = await parseSigningKey(privateKeyPem);
  const release = await readRelease(folder);
  const covered = new Set([...release.files.keys(), ...UNSIGNED_PATHS]);
  const strange = (await readdir(folder)).find((name) => !covered.has(name));
  if (strange !== undefined) {
    throw new Error(`${join(folder, strange)} is not part of a version: the signature would not cover it`);
  }
  await replaceFile(join(folder, SIGNATURE_FILE), createSignature(release, key));
  return { release, fingerprint: key.publicKey.fingerprint };
}

async function replaceFile(path: string, content: Buffer): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  try {
    await writeFile(fresh, content, { flag: 'wx', flush: true });
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' } },
  });
  if (values.key === undefined) throw new Error('--key FILE names the private key to sign with');
  const folder = positionals[0] ?? RELEASE_FOLDER;
  const { release, fingerprint } = await signRelease(folder, await readFile(values.key, 'utf8'));
  console.log(`Signed ${release.manifest.name} ${shortVersion(release.version)} with the key ${fingerprint}:`);
  console.log(`  ${join(folder, SIGNATURE_FILE)}`);
}

if (import.meta.main) runCommand(main);
