import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { API_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { createClient } from '../../static/client/client.js';
import { startWorker, type WorkerOptions } from './wrangler.ts';

const HERE = join(import.meta.dirname, 'schemathesis');
/** The most random cases per operation, in addition to those that cover its document. */
const EXAMPLES = 60;
const TOKEN = 'a-token-for-the-test';
/** The patterns of the routes that score photos. */
const SCORING = ['/api/predict', '/models/:name', '/v1/models/:name{[^/]+:predict}', '/v2/models/:name/infer'];

let python: string;

beforeAll(async () => {
  python = await preparePython(API_ENVIRONMENT);
}, 600_000);

interface Outcome {
  readonly code: number;
  readonly output: string;
  /** The log of the Worker. */
  readonly logs: string;
}

/** Starts a Worker with these variables, and lets Schemathesis send it requests that its document allows and forbids. */
async function runSchemathesis(vars: WorkerOptions['vars'], ...options: string[]): Promise<Outcome> {
  const worker = await startWorker({ model: 'brightness', vars: { ...vars } });
  // Schemathesis writes files to its working directory.
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-schemathesis-'));
  const args = [
    ...['-m', 'schemathesis.cli', '--config-file', join(HERE, 'schemathesis.toml'), '--no-color'],
    ...['run', `${worker.url}/openapi.json`, '--checks', 'all', '--max-examples', String(EXAMPLES)],
    ...['--seed', '20260101', '--continue-on-failure', '--request-timeout', '30', ...options],
  ];
  const env = {
    ...pythonEnvironment(),
    PYTHONPATH: HERE,
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: 'hooks',
    HUSKY_VERSION: (await createClient({ origin: worker.url }).model()).version,
  };
  try {
    return await new Promise((resolve) => {
      execFile(python, args, { cwd: folder, env, maxBuffer: 64_000_000 }, (error, stdout, stderr) => {
        const code = error ? Number(error.code ?? -1) : 0;
        resolve({ code, output: stdout + stderr, logs: worker.logs() });
      });
    });
  } finally {
    await worker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function expectNoFailure({ code, output, logs }: Outcome): void {
  expect(code, output).toBe(0);
  expect(Array.from(logs.matchAll(/"route":"/g)).length).toBeGreaterThan(150);
  const answered = Array.from(logs.matchAll(/"route":"([^"]+)","status":(\d+)/g), ([, route, status]) => ({
    route,
    status,
  }));
  // Otherwise the test would cover refusals only.
  for (const route of SCORING) {
    const predictions = answered.filter((each) => each.route === route && each.status === '200');
    expect(predictions.length, route).toBeGreaterThan(route === '/api/predict' ? 20 : 5);
  }
  expect(answered.filter(({ status }) => Number(status) >= 500)).toEqual([]);
}

test('Schemathesis finds no failure', async () => {
  expectNoFailure(await runSchemathesis({}));
}, 600_000);

test('Schemathesis finds no failure where tokens are required and scores are hidden', async () => {
  const digest = createHash('sha256').update(TOKEN).digest('hex');
  const setup = { API_TOKENS: digest, SCORES: 'label', MAX_BATCH_PHOTOS: 3, RATE_LIMITS: 'off' };
  expectNoFailure(await runSchemathesis(setup, '--header', `Authorization:Bearer ${TOKEN}`));
}, 600_000);
