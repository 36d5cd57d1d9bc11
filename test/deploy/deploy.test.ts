import { copyFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { readAudit } from '../../registry/audit.ts';
import { withBucket } from '../../registry/bucket.ts';
import { readRelease } from '../../registry/release.ts';
import { freePort, spawnWranglerDev, untilAnswers } from '../../scripts/wrangler-dev.ts';
import { type Outcome, Project } from './project.ts';
import { StandIn } from './stand-in/cloudflare.ts';

// Each run bundles the Worker and starts wrangler several times.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 });

const NAME = 'husky-ai-staging';
const BUCKET = 'husky-ai-models-staging';
const ADDRESS = `https://${NAME}.kennel.workers.dev`;

let project: Project;
let state: string;
let platform: StandIn;
let url: string;
let stopService: () => Promise<void>;

// The stand-in for the account, and a real `wrangler dev` that serves from its bucket.
beforeAll(async () => {
  project = await Project.create();
  state = join(project.folder, 'state');
  platform = new StandIn(state);
  await platform.start();
  vi.stubEnv('NODE_OPTIONS', platform.environment.NODE_OPTIONS);
  const port = await freePort();
  // A copy, because wrangler ends when it sees the original half-written by a test.
  const config = join(project.folder, 'served.toml');
  await copyFile(join(project.folder, 'wrangler.toml'), config);
  const args = [
    '--cwd',
    project.folder,
    '--config',
    config,
    '--env',
    'staging',
    '--persist-to',
    state,
    '--var',
    'MODEL_REFRESH:200',
  ];
  const dev = spawnWranglerDev(port, args, 'pipe');
  dev.stdout?.resume();
  dev.stderr?.resume();
  const ended = new Promise((resolve) => dev.once('exit', resolve));
  stopService = async () => {
    dev.kill('SIGTERM');
    await ended;
  };
  url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/api/health`, dev, 240_000);
});

afterEach(() => {
  expect(platform.unknown).toEqual([]);
  platform.reset();
});

afterAll(async () => {
  await stopService?.();
  await platform?.stop();
  await project?.remove();
});

async function deploy(...args: readonly string[]): Promise<Outcome> {
  const outcome = await project.deploy(platform.environment, '--env', 'staging', '--wait', '60', ...args);
  expect(outcome.reached).toEqual([]);
  return outcome;
}

/** The objects in the bucket. The dates reveal a second upload of the same bytes. */
const stored = () =>
  inBucket(async (bucket) =>
    (await bucket.list()).objects.map(({ key, etag, uploaded }) => [key, etag, uploaded.getTime()]),
  );

function inBucket<T>(use: Parameters<typeof withBucket<T>>[1]): Promise<T> {
  return withBucket({ env: 'staging', persistTo: state }, use);
}

const version = async () => (await readRelease(join(project.folder, 'model/release'))).version;
const served = async () => (await (await fetch(`${url}/api/model`)).json()).digest;
const script = () => {
  const found = platform.workers.scripts.get(NAME);
  if (!found) throw new Error('nothing is deployed');
  return found;
};

test('--dry-run checks everything without a request', async () => {
  const { code, output } = await deploy('--dry-run', ...project.sign);
  expect(output).toMatch(/model … ok, tiny-brightness [0-9a-f]{12}, not signed yet/);
  expect(output).toMatch(/build … ok, [\d.]+ MiB, [\d.]+ MiB compressed/);
  expect(output).toMatch(/start-up … ok/);
  expect(output).toContain('Ready: npm run deploy -- --env staging');
  expect(code).toBe(0);
  expect(platform.calls).toEqual([]);
});

test('the first run lists everything that is missing, with the commands', async () => {
  await project.configure('');
  const { CLOUDFLARE_API_TOKEN: _, ...noToken } = platform.environment;
  const real = await project.deploy(noToken, '--env', 'staging');
  const dry = await project.deploy(platform.environment, '--env', 'staging', '--dry-run');
  await project.configure();
  for (const { output, reached } of [real, dry]) {
    // The key exists, so the advice includes it.
    for (const line of project.keys.publicKeyPem.trim().split('\n')) expect(output).toContain(line);
    expect(output).toContain('[env.staging.vars]');
    expect(output).toContain('npm run deploy -- --env staging --key .keys/model-signing.pem');
    expect(reached).toEqual([]);
  }
  expect(real.output).toContain('npx wrangler login');
  expect(real.code).toBe(1);
  // CI without secrets can check that nothing is wrong.
  expect(dry.output).toContain('Nothing is wrong.');
  expect(dry.code).toBe(0);
  expect(platform.calls).toEqual([]);
});

test('a refused token: nothing changes, and the output explains how to log in', async () => {
  const environment = { ...platform.environment, CLOUDFLARE_API_TOKEN: 'another' };
  const { code, output } = await project.deploy(environment, '--env', 'staging', ...project.sign);
  expect(output).toMatch(/login … FAILED: .*Authentication error/);
  expect(output).toContain('npx wrangler login');
  expect(code).toBe(1);
  expect(platform.calls.every(({ method }) => method === 'GET')).toBe(true);
});

test('the first deployment creates the bucket, publishes, deploys and tests the service', async () => {
  // wrangler retries by itself.
  const once = { status: 500, code: 10013, message: 'Internal error', times: 1 };
  platform.refuse({ method: 'PUT', path: new RegExp(`^/workers/scripts/${NAME}$`), ...once });
  const { code, output } = await deploy('--smoke', url, ...project.sign);
  expect(output).toContain(`bucket … ok, created ${BUCKET}`);
  expect(output).toContain('wrote model.onnx, manifest.json, model.sig; channel staging now points at it');
  expect(output).toMatch(/smoke test … ok, health, model, page, a drawing is "(not )?husky"/);
  expect(output).toContain(`Husky AI: ${ADDRESS}\n`);
  expect(code).toBe(0);

  expect(await served()).toBe(await version());
  const { versions, subdomain, schedules } = script();
  expect(subdomain.enabled).toBe(true);
  expect(schedules).toEqual(['23 * * * *']);
  const { metadata } = versions[0] ?? {};
  expect(metadata?.limits).toEqual({ cpu_ms: 30_000 });
  expect(metadata?.observability).toMatchObject({ logs: { invocation_logs: false } });
  const bindings = Object.fromEntries((metadata?.bindings ?? []).map((binding) => [binding.name, binding]));
  expect(bindings).toMatchObject({
    MODELS: { type: 'r2_bucket', bucket_name: BUCKET },
    BURST: { type: 'ratelimit', simple: { limit: 20, period: 10 } },
    SUSTAINED: { type: 'ratelimit', simple: { limit: 60, period: 60 } },
    MODEL_PUBLIC_KEYS: { type: 'plain_text', text: project.keys.publicKeyPem },
  });
  expect(metadata?.annotations['workers/message']).toContain((await version()).slice(0, 12));
  expect(platform.workers.sentAssets).toBeGreaterThan(10);
  expect(await inBucket(readAudit)).toMatchObject({
    records: [{ action: 'publish', channel: 'staging' }],
    faults: [],
  });
});

test('the second changes nothing in the bucket, uploads no asset, and succeeds', async () => {
  const before = { objects: await stored(), assets: platform.workers.sentAssets };
  const { code, output } = await deploy('--smoke', url);
  expect(output).toContain(`${BUCKET} exists`);
  expect(output).toContain('publish … ok, nothing to write; channel staging already pointed at it');
  expect(code).toBe(0);
  expect({ objects: await stored(), assets: platform.workers.sentAssets }).toEqual(before);
  expect(script().deployed).toHaveLength(2);
});

test('the API fails midway: the previous Worker stays online, and the next run completes', async () => {
  const deployed = [...script().deployed];
  await project.takeModel('colour');
  const message = 'Something is on fire';
  platform.refuse({ method: 'POST', path: /\/versions$/, status: 409, code: 10013, message });
  const failed = await deploy('--smoke', url, ...project.sign);
  expect(failed.output).toMatch(new RegExp(`deploy … FAILED: .*${message}`));
  expect(failed.output).toContain('Run the same command again');
  expect(failed.output).toContain('npm run model:rollback -- --remote --env staging');
  expect(failed.output).not.toContain('Husky AI:');
  expect(failed.code).toBe(1);
  expect(script().deployed).toEqual(deployed);

  platform.reset();
  const completed = await deploy('--smoke', url);
  expect(completed.output).toContain('publish … ok, nothing to write');
  expect(completed.output).toMatch(/smoke test … ok/);
  expect(completed.code).toBe(0);
  expect(script().deployed).toHaveLength(deployed.length + 1);
  expect(await served()).toBe(await version());
});

test('a token without permission to create buckets: nothing is published', async () => {
  platform.refuse({
    method: 'POST',
    path: /^\/r2\/buckets$/,
    status: 403,
    code: 10000,
    message: 'Authentication error',
  });
  const before = await stored();
  const { code, output } = await deploy('--smoke', url);
  expect(output).toMatch(/bucket … FAILED: .*Authentication error/);
  expect(output).toContain('CLOUDFLARE_API_TOKEN');
  expect(output).not.toContain('publish …');
  expect(code).toBe(1);
  expect(await stored()).toEqual(before);
});

test('the service fails its smoke test: the run fails and explains how to go back', async () => {
  const problem = JSON.stringify({ code: 'model_untrusted', status: 503 });
  const broken = createServer((_, response) => response.writeHead(503).end(problem));
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  const address = broken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { code, output } = await deploy('--smoke', `http://127.0.0.1:${port}`, '--wait', '0');
  broken.close();
  expect(output).toMatch(/smoke test … FAILED: .*\/api\/health responds with 503 model_untrusted/);
  expect(output).toContain('npx wrangler rollback --env staging');
  expect(output).not.toContain('Husky AI:');
  expect(code).toBe(1);
});
