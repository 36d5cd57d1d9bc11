import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa, type Options } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeKeyPair } from '../../registry/keygen.ts';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { freePort } from '../../scripts/wrangler-dev.ts';
import { schemas } from '../../src/api/schemas.ts';
import { solidPng } from '../pictures/png.ts';
import { tinyRelease } from './page-models.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const spawnStart = (args: readonly string[], options: Options = {}) =>
  execa(process.execPath, [resolve('scripts/start.ts'), ...args], {
    all: true,
    reject: false,
    stdin: 'ignore',
    ...options,
  });

/** Runs `npm start` until it prints the address, then `use`; returns what it printed. */
async function start(args: readonly string[], use: (address: string) => Promise<void>): Promise<string> {
  const child = spawnStart([...args, '--persist-to', folder]);
  const address = new Promise<string>((found, fail) => {
    let output = '';
    child.all?.on('data', (text: Buffer) => {
      output += text;
      const printed = /Husky AI: (https?:\S+)/.exec(output)?.[1];
      if (printed) found(printed);
    });
    void child.then(() => fail(new Error(`it ended:\n${output}`)));
  });
  try {
    await use(await address);
  } finally {
    child.kill('SIGTERM');
  }
  return String((await child).all);
}

test('the first start publishes the committed model and serves it on the given port', async () => {
  const port = await freePort();
  const output = await start(['--port', String(port)], async (address) => {
    expect(address).toBe(`http://localhost:${port}`);
    const url = `http://127.0.0.1:${port}`;
    const body = await solidPng([20, 90, 200]);
    const response = await fetch(`${url}/api/predict`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'image/png' },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ model: { name: expect.any(String) } });
    const page = await fetch(url);
    expect(page.headers.get('Content-Type')).toContain('text/html');
  });
  expect(output).toContain('published it');
});

test('the second start finds the model published', async () => {
  const port = await freePort();
  const output = await start([`--port=${port}`], async () => {
    expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200);
  });
  expect(output).not.toContain('published');
});

test('--model serves the model in a folder, and a start without it serves the committed one again', async () => {
  const port = await freePort();
  const model = await tinyRelease('brightness');
  const served = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/model`);
    return schemas.ModelInfo.parse(await answer.json()).name;
  };
  const { manifest } = await readRelease(RELEASE_FOLDER);
  const first = await start(['--port', String(port), '--model', model], async () => {
    expect(await served()).toBe('tiny-brightness');
  });
  expect(first).toContain('Signed tiny-brightness and published it');
  const second = await start(['--port', String(port)], async () => {
    expect(await served()).toBe(manifest.name);
  });
  expect(second).toContain(`Serving ${manifest.name} again.`);
  await start([`--model=${model}`, '--port', String(port)], async () => {
    expect(await served()).toBe('tiny-brightness');
  });
  await rm(model, { recursive: true });
}, 180_000);

test('--https serves over TLS', async () => {
  const port = await freePort();
  await start(['--https', '--port', String(port)], async (address) => {
    expect(address).toBe(`https://localhost:${port}`);
  });
});

describe('one error, exit status 1, and nothing signed or published', () => {
  /** Runs `npm start` in a project without keys and bucket; it must leave none. */
  async function expectFailure(args: readonly string[], message: RegExp, change = (toml: string) => toml) {
    const project = await mkdtemp(join(tmpdir(), 'husky-ai-start-'));
    await writeFile(join(project, 'wrangler.toml'), change(await readFile('wrangler.toml', 'utf8')));
    const { exitCode, all } = await spawnStart(args, { cwd: project });
    expect({ exitCode, all }).toEqual({ exitCode: 1, all: expect.stringMatching(message) });
    expect(await readdir(project)).toEqual(['wrangler.toml']);
    await rm(project, { recursive: true });
  }

  test('another server holds the port', async () => {
    const other = createServer((_, response) => response.end('{"status":"ok"}'));
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      await expectFailure(['--port', String(port)], new RegExp(`^port ${port} is in use.*$`));
    } finally {
      other.close();
    }
  });

  test.each([
    ['--port', '65536'],
    ['--port', 'x'],
    ['--port', '--https'],
  ])('--port is not a port: %s %s', (...args) => expectFailure(args, /^--port takes a number from 1 to 65535$/));

  test.each([['--model'], ['--model', '--https']])('--model has no value: %s %s', (...args) =>
    expectFailure(args, /^--model takes the folder of a converted model$/),
  );

  test('--model is not the folder of a model', () =>
    expectFailure(['--model', 'models/none'], /^models\/none has no manifest\.json: convert a model first/));

  test('--port has no value', () => expectFailure(['--port'], /^--port takes a number from 1 to 65535$/));

  test.each(['model-signing.pem', 'model-signing.pub.pem'])('%s, a development key, is empty', async (name) => {
    const project = await mkdtemp(join(tmpdir(), 'husky-ai-start-'));
    await writeFile(join(project, 'wrangler.toml'), await readFile('wrangler.toml', 'utf8'));
    await writeKeyPair(join(project, '.keys', 'development'), 'P-256');
    await writeFile(join(project, '.keys', 'development', name), '');
    const { exitCode, all } = await spawnStart([], { cwd: project });
    expect({ exitCode, all }).toEqual({ exitCode: 1, all: expect.stringMatching(`^.keys/development/${name}: .*$`) });
    expect((await readdir(project)).toSorted()).toEqual(['.keys', 'wrangler.toml']);
    await rm(project, { recursive: true });
  });

  test('a setting in wrangler.toml is not valid', () =>
    expectFailure([], /^Invalid settings in wrangler\.toml:\n +MODEL_REFRESH: .*$/, (toml) =>
      toml.replace(/^\[vars\]$/m, '[vars]\nMODEL_REFRESH = "soon"'),
    ));
});

test('a setting that is not valid on the command line: wrangler ends with the name of the setting', async () => {
  const port = String(await freePort());
  const args = ['--port', port, '--persist-to', folder, '--var', 'MODEL_REFRESH:soon'];
  const { exitCode, all } = await spawnStart(args);
  expect(exitCode).toBe(1);
  expect(all).toMatch(/MODEL_REFRESH: /);
  expect(all).not.toContain('Husky AI:');
});
