import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyPaths, writeKeyPair } from '../../registry/keygen.ts';
import { generateKeyPair } from '../../registry/keys.ts';
import { sha256 } from '../../registry/release.ts';
import { signRelease } from '../../registry/sign.ts';
import { verifyRelease } from '../../registry/verify.ts';
import { preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { parsePublicKeys } from '../../src/model/oms/public-keys.ts';
import { testManifest } from '../manifest.ts';

const run = promisify(execFile);
const curves = ['P-256', 'P-384'] as const;

let scratch: string;
let python: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'husky-ai-signing-'));
  python = await preparePython();
}, 1_200_000);

afterAll(() => rm(scratch, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly output: string;
}

async function outcome(program: string, args: readonly string[], env = process.env): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(program, [...args], { env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error)) throw error;
    return { code: Number(error.code), output: `${error.stdout}${error.stderr}` };
  }
}

/** The reference tool of OpenSSF Model Signing, with the method `key`. */
function referenceTool(action: 'sign' | 'verify', folder: string, key: string): Promise<Outcome> {
  const option = action === 'sign' ? '--private_key' : '--public_key';
  const args = ['-m', 'model_signing', action, 'key', folder, '--signature', join(folder, 'model.sig'), option, key];
  return outcome(python, args, pythonEnvironment());
}

const command = (name: 'keygen' | 'sign' | 'verify', ...args: readonly string[]): Promise<Outcome> =>
  outcome(process.execPath, [join('registry', `${name}.ts`), ...args]);

/** A version folder as the converter writes it; signing does not run the model, so any bytes work. */
async function newRelease(): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'release-'));
  const onnx = Buffer.from('not a network, but the bytes of one');
  const manifest = testManifest('signed', { bytes: onnx.byteLength, sha256: sha256(onnx) });
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'model.onnx'), onnx);
  return folder;
}

/** A key pair in a new folder. */
const newKeys = async (curve: (typeof curves)[number] = 'P-256') =>
  writeKeyPair(join(await mkdtemp(join(scratch, 'keys-')), 'keys'), curve);

const sign = async (folder: string, keyPath: string) => signRelease(folder, await readFile(keyPath, 'utf8'));

describe.each(curves)('%s', (curve) => {
  test("both accept the reference tool's signature, and refuse it over a changed file", async () => {
    const folder = await newRelease();
    const keys = await newKeys(curve);
    expect(await referenceTool('sign', folder, keys.privateKeyPath)).toMatchObject({ code: 0 });
    const trusted = await parsePublicKeys(keys.publicKeyPem);
    expect(await verifyRelease(folder, trusted)).toMatchObject({ signer: keys.fingerprint });

    await writeFile(join(folder, 'model.onnx'), 'other bytes');
    await expect(verifyRelease(folder, trusted)).rejects.toMatchObject({ cause: { reason: 'file_digest' } });
    const refused = await referenceTool('verify', folder, keys.publicKeyPath);
    expect(refused.code).toBe(1);
  });

  test('both accept our signature, and refuse it with an extra file', async () => {
    const folder = await newRelease();
    const keys = await newKeys(curve);
    const { fingerprint } = await sign(folder, keys.privateKeyPath);
    expect(fingerprint).toBe(keys.fingerprint);
    const accepted = await referenceTool('verify', folder, keys.publicKeyPath);
    expect(accepted.code).toBe(0);
    const trusted = await parsePublicKeys(keys.publicKeyPem);
    expect(await verifyRelease(folder, trusted)).toMatchObject({ signer: fingerprint });

    await writeFile(join(folder, 'extra.txt'), 'unsigned');
    await expect(verifyRelease(folder, trusted)).rejects.toMatchObject({
      cause: { reason: 'unsigned_file' },
    });
    const refused = await referenceTool('verify', folder, keys.publicKeyPath);
    expect(refused.code).toBe(1);
  });

  test('both refuse our signature under another key', async () => {
    const folder = await newRelease();
    await sign(folder, (await newKeys(curve)).privateKeyPath);
    const other = await newKeys(curve);
    await expect(verifyRelease(folder, await parsePublicKeys(other.publicKeyPem))).rejects.toMatchObject({
      cause: { reason: 'unknown_key' },
    });
    expect(await referenceTool('verify', folder, other.publicKeyPath)).toMatchObject({ code: 1 });
  });
});

describe('keygen', () => {
  test('only the owner can read the private key; git ignores the folder', async () => {
    const { privateKeyPath, publicKeyPath } = await newKeys();
    expect((await stat(privateKeyPath)).mode & 0o777).toBe(0o600);
    expect((await stat(join(privateKeyPath, '..'))).mode & 0o777).toBe(0o700);
    expect(await readFile(join(privateKeyPath, '..', '.gitignore'), 'utf8')).toBe('*\n');
    expect(await readFile(privateKeyPath, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(await readFile(publicKeyPath, 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  });

  test.each(['privateKeyPath', 'publicKeyPath'] as const)('overwrites nothing: %s', async (kept) => {
    const folder = await mkdtemp(join(scratch, 'keys-'));
    const path = keyPaths(folder)[kept];
    await writeFile(path, 'mine');
    await expect(writeKeyPair(folder, 'P-256')).rejects.toThrow(/already exists/);
    expect(await readFile(path, 'utf8')).toBe('mine');
    // No half of a pair is left, and an existing folder is unchanged.
    expect(await readdir(folder)).toHaveLength(1);
  });
});

describe('signing', () => {
  test('a second signature replaces the first and leaves nothing else', async () => {
    const folder = await newRelease();
    await sign(folder, (await newKeys()).privateKeyPath);
    const next = await newKeys('P-384');
    await sign(folder, next.privateKeyPath);
    const trusted = await parsePublicKeys(next.publicKeyPem);
    expect(await verifyRelease(folder, trusted)).toMatchObject({ signer: next.fingerprint });
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'model.onnx', 'model.sig']);
  });

  test('a failed write leaves the old signature and nothing else', async () => {
    const folder = await newRelease();
    const { privateKeyPath } = await newKeys();
    // A rename cannot replace a folder.
    await mkdir(join(folder, 'model.sig'));
    await expect(sign(folder, privateKeyPath)).rejects.toThrow();
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'model.onnx', 'model.sig']);
  });

  test('a folder with an extra file is not signed', async () => {
    const folder = await newRelease();
    await writeFile(join(folder, 'notes.txt'), '');
    await expect(sign(folder, (await newKeys()).privateKeyPath)).rejects.toThrow(/notes\.txt is not part of a version/);
    expect(await readdir(folder)).not.toContain('model.sig');
  });

  test('a model that its manifest does not name is not signed', async () => {
    const folder = await newRelease();
    await writeFile(join(folder, 'model.onnx'), 'other bytes');
    await expect(sign(folder, (await newKeys()).privateKeyPath)).rejects.toThrow(/not the one that its manifest names/);
    expect(await readdir(folder)).not.toContain('model.sig');
  });

  test.each([
    ['no key', 'not a key', /not a private key/],
    ['a public key', generateKeyPair('P-256').publicKeyPem, /not a private key/],
  ])('with %s', async (_, pem, message) => {
    await expect(signRelease(await newRelease(), pem)).rejects.toThrow(message);
  });

  test('a link in place of the model is refused', async () => {
    const folder = await newRelease();
    const keys = await newKeys();
    await sign(folder, keys.privateKeyPath);
    const elsewhere = join(scratch, 'elsewhere.onnx');
    await writeFile(elsewhere, await readFile(join(folder, 'model.onnx')));
    await rm(join(folder, 'model.onnx'));
    await symlink(elsewhere, join(folder, 'model.onnx'));
    await expect(verifyRelease(folder, await parsePublicKeys(keys.publicKeyPem))).rejects.toThrow(/not a plain file/);
  });
});

test('keygen, sign and verify in sequence', async () => {
  const folder = await newRelease();
  const out = join(scratch, 'command-keys');
  const { privateKeyPath, publicKeyPath } = keyPaths(out);

  const made = await command('keygen', '--out', out, '--curve', 'P-384');
  expect(made.code).toBe(0);
  const fingerprint = /fingerprint ([0-9a-f]{64})/.exec(made.output)?.[1];
  expect(fingerprint).toBeDefined();
  expect(made.output).toContain(await readFile(publicKeyPath, 'utf8'));
  expect(made.output).not.toContain('PRIVATE');
  expect(await command('keygen', '--out', out)).toMatchObject({ code: 1 });
  expect(await command('keygen', '--out', join(scratch, 'never'), '--curve', 'P-521')).toMatchObject({
    code: 1,
  });

  expect(await command('sign', folder)).toEqual({ code: 1, output: expect.stringMatching(/--key FILE/) });
  const signed = await command('sign', folder, '--key', privateKeyPath);
  expect(signed).toEqual({ code: 0, output: expect.stringContaining(`${fingerprint}`) });

  const good = await command('verify', folder, '--key', publicKeyPath);
  expect(good).toEqual({
    code: 0,
    output: expect.stringMatching(`Good signature of signed [0-9a-f]{12}\n.*${fingerprint}`),
  });
  await writeFile(join(folder, 'manifest.json'), '{}');
  const refused = await command('verify', folder, '--key', publicKeyPath);
  expect(refused).toEqual({
    code: 1,
    output: expect.stringMatching(/^Refused: .* file_digest: "manifest\.json"/),
  });
});
