import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { generateKeyPair } from '../../registry/keys.ts';
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

/** What a run says that must not come as far as calling anybody. */
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
    'a number that clients are not told',
    'limit = 20',
    'limit = 5',
    'BURST counts 5 in 10 s but reports 20 in 10 s',
  ],
  ['a counter that is not inherited', 'name = "SUSTAINED"', 'name = "OTHER"', 'no counter SUSTAINED'],
  ["another environment's counter", '"2001"', '"1001"', 'BURST shares its counter with production'],
  [
    'a bucket that is not inherited',
    'binding = "MODELS"',
    'binding = "OTHER"',
    'no R2 bucket bound to MODELS',
  ],
  [
    'no limits of use',
    'MODEL_CHANNEL = "staging"',
    'MODEL_CHANNEL = "staging"\nRATE_LIMITS = "off"',
    'RATE_LIMITS is off',
  ],
  [
    'a setting that is none',
    'MODEL_CHANNEL = "staging"',
    'MODEL_CHANNEL = "staging"\nMODEL_REFRESH = "soon"',
    'MODEL_REFRESH: ',
  ],
  ['a key that is none', /-----BEGIN[^"]*/, 'my key\n', 'MODEL_PUBLIC_KEYS: '],
])('%s', async (_, from, to, message) => {
  await project.configure(undefined, staging(from, to));
  expect(await refused('--env', 'staging')).toContain(message);
});

test('all that is wrong is said at once', async () => {
  await project.configure(undefined, (toml) =>
    staging('"2002"', '"1002"')(staging('limit = 20', 'limit = 5')(toml)),
  );
  const output = await refused('--env', 'staging');
  expect(output).toContain('BURST counts 5');
  expect(output).toContain('SUSTAINED shares its counter with production');
});

test('a key whose public half is not the one that the Worker will trust', async () => {
  await project.configure(generateKeyPair('P-256').publicKeyPem);
  expect(await refused(...project.sign)).toMatch(
    /model … FAILED: the key in .* is not in MODEL_PUBLIC_KEYS of production/,
  );
});

test('a signature that does not hold', async () => {
  await project.configure();
  await writeFile(join(project.folder, 'model/release/model.sig'), '{}');
  expect(await refused()).toMatch(/model … FAILED: .*model\.sig is not a signature by a key/);
});

test('a model that is not whole', async () => {
  await writeFile(join(project.folder, 'model/release/model.onnx'), 'something else');
  expect(await refused()).toContain('not the one that its manifest names');
});

test.each([
  [['--env', 'nowhere'], '--env takes production or staging'],
  [['--force'], '--force'],
  [['--smoke', 'localhost'], '--smoke takes'],
])('%j is no way to call it', async (args, message) => {
  expect(await refused(...args)).toContain(message);
});
