import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { generateKeyPair } from '../../registry/keys.ts';
import { sha256 } from '../../registry/release.ts';
import { testManifest } from '../manifest.ts';
import tiny from '../src/model/tiny-models.json' with { type: 'json' };
import { Project } from './project.ts';
import { StandIn } from './stand-in/cloudflare.ts';

vi.setConfig({ testTimeout: 240_000 });

let project: Project;
let platform: StandIn;

beforeAll(async () => {
  project = await Project.create();
  platform = new StandIn(join(project.folder, 'state'));
  await platform.start();
});

afterAll(async () => {
  await platform?.stop();
  await project?.remove();
});

/** The output of a run that must fail before it makes a request. */
async function refused(...args: readonly string[]): Promise<string> {
  const { NODE_OPTIONS = '' } = platform.environment;
  const { code, output, reached } = await project.deploy({ NODE_OPTIONS }, '--dry-run', ...args);
  expect(code).toBe(1);
  expect(reached).toEqual([]);
  expect(platform.calls).toEqual([]);
  return output;
}

const staging = (from: string | RegExp, to: string) => (toml: string) => {
  const at = toml.indexOf('[env.staging]');
  const changed = toml.slice(at).replace(from, to);
  expect(changed).not.toBe(toml.slice(at));
  return toml.slice(0, at) + changed;
};

test.each([
  [
    'a limit other than the one that clients see',
    'limit = 20',
    'limit = 5',
    'BURST counts 5 in 10 s but reports 20 in 10 s',
  ],
  ['a counter that environments do not inherit', 'name = "SUSTAINED"', 'name = "OTHER"', 'no counter SUSTAINED'],
  ["another environment's counter", '"2001"', '"1001"', 'BURST shares its counter with production'],
  [
    'a bucket that environments do not inherit',
    'binding = "MODELS"',
    'binding = "OTHER"',
    'binds no R2 bucket to MODELS',
  ],
  [
    'rate limits turned off',
    'MODEL_CHANNEL = "staging"',
    'MODEL_CHANNEL = "staging"\nRATE_LIMITS = "off"',
    'RATE_LIMITS is off',
  ],
  [
    'a setting that is not valid',
    'MODEL_CHANNEL = "staging"',
    'MODEL_CHANNEL = "staging"\nMODEL_REFRESH = "soon"',
    'MODEL_REFRESH: ',
  ],
  ['a key that is not valid', /-----BEGIN[^"]*/, 'my key\n', 'MODEL_PUBLIC_KEYS: '],
])('%s', async (_, from, to, message) => {
  await project.configure(undefined, staging(from, to));
  expect(await refused('--env', 'staging')).toContain(message);
});

test('all faults are reported at once', async () => {
  await project.configure(undefined, (toml) => staging('"2002"', '"1002"')(staging('limit = 20', 'limit = 5')(toml)));
  const output = await refused('--env', 'staging');
  expect(output).toContain('BURST counts 5');
  expect(output).toContain('SUSTAINED shares its counter with production');
});

test('a key that the Worker will not trust', async () => {
  await project.configure(generateKeyPair('P-256').publicKeyPem);
  expect(await refused(...project.sign)).toMatch(
    /model … FAILED: the key in .* is not in MODEL_PUBLIC_KEYS of production/,
  );
});

test('a signature that is not valid', async () => {
  await project.configure();
  await writeFile(join(project.folder, 'model/release/model.sig'), '{}');
  expect(await refused()).toMatch(/model … FAILED: .*model\.sig is not a signature by a key/);
});

test('a model that its manifest does not name', async () => {
  await writeFile(join(project.folder, 'model/release/model.onnx'), 'something else');
  expect(await refused()).toContain('not the one that its manifest names');
});

test('a model that the ONNX Runtime of the Worker cannot run', async () => {
  const onnx = Buffer.from(tiny.trap, 'base64');
  const manifest = testManifest('trap', { bytes: onnx.byteLength, sha256: sha256(onnx) });
  await writeFile(join(project.folder, 'model/release/model.onnx'), onnx);
  await writeFile(join(project.folder, 'model/release/manifest.json'), JSON.stringify(manifest));
  expect(await refused()).toMatch(/model … FAILED: The model cannot be run\..*npm run model:convert/s);
});

test.each([
  [['--env', 'nowhere'], '--env takes production or staging'],
  [['--force'], '--force'],
  [['--smoke', 'localhost'], '--smoke takes'],
])('%j is not a valid command line', async (args, message) => {
  expect(await refused(...args)).toContain(message);
});
