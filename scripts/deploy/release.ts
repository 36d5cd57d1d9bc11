import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_FOLDER, keyPaths } from '../../registry/keygen.ts';
import { parseSigningKey } from '../../registry/keys.ts';
import { RELEASE_FOLDER, type Release, readRelease } from '../../registry/release.ts';
import { SIGNATURE_FILE, signRelease } from '../../registry/sign.ts';
import { verifyRelease } from '../../registry/verify.ts';
import { shortVersion } from '../../src/model/layout.ts';
import { InvalidSignature } from '../../src/model/oms/invalid-signature.ts';
import type { PublicKey } from '../../src/model/oms/public-keys.ts';
import { type Configuration, keyAdvice } from './configuration.ts';
import type { DeployOptions } from './options.ts';
import { type Done, StepFailed } from './progress.ts';

const SIGNATURE = join(RELEASE_FOLDER, SIGNATURE_FILE);

/**
 * Checks that the version in model/release is whole, not too large, and signed by a key that the Worker will trust;
 * signs it first where that is wanted.
 *
 * @throws {StepFailed} it is not
 */
export async function checkRelease(
  { settings, keys }: Configuration,
  options: DeployOptions,
): Promise<Done<Release>> {
  const release = await readRelease(RELEASE_FOLDER).catch((cause: Error) => {
    throw new StepFailed(cause.message, [`Convert the model anew: npm run model:convert -- FILE`], { cause });
  });
  const limits = { 'model.onnx': settings.MAX_MODEL_BYTES, 'manifest.json': settings.MAX_MANIFEST_BYTES };
  for (const [file, limit] of Object.entries(limits)) {
    const bytes = release.files.get(file)?.byteLength ?? 0;
    if (bytes > limit) {
      throw new StepFailed(`${file} has ${bytes} bytes, and the Worker reads ${limit}`, [
        'Raise MAX_MODEL_BYTES or MAX_MANIFEST_BYTES, or take a smaller model.',
      ]);
    }
  }
  const name = `${release.manifest.name} ${shortVersion(release.version)}`;
  if (!keys) {
    const advice = await keyAdvice(options.env);
    throw new StepFailed(`${name} is whole, but no key is trusted yet`, [advice, signAdvice(options)], {
      missing: true,
    });
  }
  return { value: release, said: `${name}, ${await signatureOf(keys, options)}` };
}

/** Says by which key the version is signed; signs it where it is not, and there is a key to do it with. */
async function signatureOf(keys: readonly PublicKey[], options: DeployOptions): Promise<string> {
  const found = await verify(keys);
  if (typeof found === 'string') return `signed by ${shortVersion(found)}`;
  if (options.key === undefined) throw found.failure(options);
  const pem = await readFile(options.key, 'utf8').catch((cause: Error) => {
    throw new StepFailed(`--key: ${cause.message}`, ['Name the file with the private key.'], { cause });
  });
  const { publicKey } = await parseSigningKey(pem).catch((cause: Error) => {
    throw new StepFailed(`--key: ${cause.message}`, ['Name the file with the private key.'], { cause });
  });
  const { fingerprint } = publicKey;
  if (!keys.some((key) => key.fingerprint === fingerprint)) {
    throw new StepFailed(`the key in ${options.key} is none of MODEL_PUBLIC_KEYS of ${options.env}`, [
      await keyAdvice(options.env),
    ]);
  }
  if (options.dryRun) return `not signed yet; ${shortVersion(fingerprint)} will sign it`;
  await signRelease(RELEASE_FOLDER, pem);
  return `signed now by ${shortVersion(fingerprint)}`;
}

/** The fingerprint of the key that has signed the version, or what is wrong. */
async function verify(
  keys: readonly PublicKey[],
): Promise<string | { failure(options: DeployOptions): StepFailed }> {
  if (!existsSync(SIGNATURE)) {
    return {
      failure: (options) =>
        new StepFailed('the model is not signed yet', [signAdvice(options)], { missing: true }),
    };
  }
  try {
    return (await verifyRelease(RELEASE_FOLDER, keys)).fingerprint;
  } catch (cause) {
    if (!(cause instanceof InvalidSignature)) throw cause;
    return {
      failure: (options) =>
        new StepFailed(
          `${SIGNATURE} is not a signature by a key in MODEL_PUBLIC_KEYS of ${options.env} (${cause.reason})`,
          [
            `Sign with the key whose public half is there, or put the other one there.\n${signAdvice(options)}`,
          ],
          { cause },
        ),
    };
  }
}

function signAdvice({ env }: DeployOptions): string {
  return `Let the model be signed with your key:\n  npm run deploy -- --env ${env} --key ${keyPaths(KEY_FOLDER).privateKeyPath}`;
}
