import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_FOLDER, keyPaths } from '../../registry/keygen.ts';
import { parseSigningKey, type SigningKey } from '../../registry/keys.ts';
import { RELEASE_FOLDER, type Release, readRelease } from '../../registry/release.ts';
import { SIGNATURE_FILE, signRelease } from '../../registry/sign.ts';
import { tryVersion } from '../../registry/trial.ts';
import { verifyRelease } from '../../registry/verify.ts';
import type { Config } from '../../src/config.ts';
import { ModelUntrusted } from '../../src/errors.ts';
import { shortVersion } from '../../src/model/layout.ts';
import { InvalidSignature } from '../../src/model/oms/invalid-signature.ts';
import type { PublicKey } from '../../src/model/oms/public-keys.ts';
import { type Configuration, keyAdvice } from './configuration.ts';
import type { DeployOptions } from './options.ts';
import { type Done, reasonOf, StepFailed } from './progress.ts';

/**
 * Checks that the Worker will accept the version in the model's folder; with `--key`, signs it first if it is unsigned.
 *
 * @throws {StepFailed} the version is not valid, cannot be run, is too large, or is not signed by a trusted key
 */
export async function checkRelease({ settings, keys }: Configuration, options: DeployOptions): Promise<Done<Release>> {
  const release = await readRelease(options.model).catch((cause: Error) => {
    const message = `${options.model}: ${cause.message}`;
    throw new StepFailed(message, ['Convert the model again: npm run model:convert -- FILE'], { cause });
  });
  await checkRuns(await readRelease(options.model), settings);
  const name = `${release.manifest.name} ${shortVersion(release.version)}`;
  if (!keys) {
    const advice = [await keyAdvice(options.env), signAdvice(options)];
    throw new StepFailed(`${name} is valid, but no key is trusted yet`, advice, { missing: true });
  }
  return { value: release, said: `${name}, ${await ensureSigned(keys, options)}` };
}

/**
 * Checks that the Worker's ONNX Runtime can run a version, whose files it consumes.
 *
 * @throws {StepFailed} it cannot, or the version does not fit in an isolate
 */
export async function checkRuns(model: Pick<Release, 'manifest' | 'files'>, settings: Config): Promise<void> {
  try {
    await tryVersion(model, settings, []);
  } catch (cause) {
    if (!(cause instanceof ModelUntrusted)) throw cause;
    const advice = [
      'Convert the model again, for the ONNX Runtime of this Worker:\n  npm run model:convert -- FILE',
      'If it is too large, use a smaller model, or raise MAX_MODEL_BYTES, MAX_MODEL_MEMORY_BYTES or MAX_MANIFEST_BYTES.',
    ];
    throw new StepFailed(`${cause.message} ${reasonOf(cause.cause)}`, advice, { cause });
  }
}

/** Describes who signed the version; signs it if nobody has and there is a key to do it with. */
async function ensureSigned(keys: readonly PublicKey[], options: DeployOptions): Promise<string> {
  const found = await findSigner(keys, options);
  if (typeof found === 'string') return `signed by ${shortVersion(found)}`;
  if (options.key === undefined) throw found;
  const { pem, publicKey } = await readSigningKey(options.key);
  const { fingerprint } = publicKey;
  if (!keys.some((key) => key.fingerprint === fingerprint)) {
    throw new StepFailed(`the key in ${options.key} is not in MODEL_PUBLIC_KEYS of ${options.env}`, [
      await keyAdvice(options.env),
    ]);
  }
  if (options.dryRun) return `not signed yet; ${shortVersion(fingerprint)} will sign it`;
  await signRelease(options.model, pem);
  return `now signed by ${shortVersion(fingerprint)}`;
}

/** The fingerprint of the key that signed the version, or what is wrong. */
async function findSigner(keys: readonly PublicKey[], options: DeployOptions): Promise<string | StepFailed> {
  const signature = join(options.model, SIGNATURE_FILE);
  if (!existsSync(signature)) {
    return new StepFailed('the model is not signed yet', [signAdvice(options)], { missing: true });
  }
  try {
    return (await verifyRelease(options.model, keys)).signer;
  } catch (cause) {
    if (!(cause instanceof ModelUntrusted && cause.cause instanceof InvalidSignature)) throw cause;
    return new StepFailed(
      `${signature} is not a signature by a key in MODEL_PUBLIC_KEYS of ${options.env} (${cause.cause.reason})`,
      [`Sign with a key whose public key is there, or add the public key.\n${signAdvice(options)}`],
      { cause },
    );
  }
}

async function readSigningKey(path: string): Promise<SigningKey & { readonly pem: string }> {
  try {
    const pem = await readFile(path, 'utf8');
    return { ...(await parseSigningKey(pem)), pem };
  } catch (cause) {
    throw new StepFailed(`--key: ${reasonOf(cause)}`, ['Name the file with the private key.'], { cause });
  }
}

function signAdvice({ env, model }: DeployOptions): string {
  const chosen = model === RELEASE_FOLDER ? '' : ` --model ${model}`;
  return `Sign the model with your key:\n  npm run deploy -- --env ${env}${chosen} --key ${keyPaths(KEY_FOLDER).privateKeyPath}`;
}
