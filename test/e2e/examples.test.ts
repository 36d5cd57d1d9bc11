import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { API_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { createClient } from '../../static/client/client.js';
import { solidPng } from '../pictures/png.ts';
import { markedJpeg, newMarks } from './marks.ts';
import { startWorker } from './wrangler.ts';

const run = promisify(execFile);

const TOKEN = 'token-of-the-examples';

const Sample = z.object({
  lang: z.enum(['Shell', 'TypeScript', 'Python']),
  label: z.string(),
  source: z.string(),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ 'x-codeSamples': z.array(Sample) }))),
});

let python: string;
let folder: string;

beforeAll(async () => {
  python = await preparePython(API_ENVIRONMENT);
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-examples-'));
  // The examples import the typed client from the root of the repository.
  await symlink(resolve('static'), join(folder, 'static'));
  await writeFile(join(folder, 'photo.jpg'), markedJpeg(newMarks()));
  await writeFile(join(folder, 'other.png'), await solidPng([250, 250, 250]));
}, 600_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

type Sample = z.infer<typeof Sample>;

/** Reads all examples from the OpenAPI document, each with the path that it requests. */
async function readSamples(url: string): Promise<readonly (readonly [path: string, Sample])[]> {
  const { paths } = Document.parse(await (await fetch(`${url}/openapi.json`)).json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap((operation) => operation['x-codeSamples'].map((sample) => [path, sample] as const)),
  );
}

/** Runs an example unchanged in the folder of the two photos, and returns its output. */
async function runSample({ lang, source }: Sample, version: string): Promise<string> {
  const env = { ...pythonEnvironment(), HUSKY_AI_TOKEN: TOKEN, MODEL: 'tiny-brightness', VERSION: version };
  const options = { cwd: folder, env };
  switch (lang) {
    case 'Shell':
      return (await run('sh', ['-c', source], options)).stdout;
    case 'TypeScript':
      await writeFile(join(folder, 'example.mts'), source);
      return (await run(process.execPath, ['example.mts'], options)).stdout;
    case 'Python':
      await writeFile(join(folder, 'example.py'), source);
      return (await run(python, ['example.py'], options)).stdout;
  }
}

/** The least that an example must print. */
const prints: Record<string, RegExp> = {
  '/api/predict': /not husky/,
  '/api/predict, several': /not husky[\s\S]*husky/,
  '/huskyai/': /Does not look like a husky to me\./,
  '/api/model': /tiny-brightness/,
  '/api/health': /ok/,
  '/models/{name}': /^\[\{"label":"not husky"/,
  '/v1/models/{name}': /"ready":true/,
  '/v1/models/{name}:predict': /^\{"predictions":\[\{"label":"not husky"/,
  '/v2': /husky-ai/,
  '/v2/health/live': /true/,
  '/v2/health/ready': /true/,
  '/v2/models/{name}': /"platform"/,
  '/v2/models/{name}/ready': /true/,
  '/v2/models/{name}/infer': /"data":\["not husky"\]/,
  '/v2/models/{name}/versions/{version}': /"platform"/,
  '/v2/models/{name}/versions/{version}/ready': /true/,
  '/v2/models/{name}/versions/{version}/infer': /"data":\["not husky"\]/,
};

/** Runs every example of the service's document. */
async function checkSamples(url: string): Promise<void> {
  const samples = await readSamples(url);
  const { version } = await createClient({ origin: url }).model();
  const languages = samples.filter(([path]) => path === '/api/predict').map(([, { lang }]) => lang);
  expect(new Set(languages)).toEqual(new Set(['Shell', 'TypeScript', 'Python']));
  for (const [path, sample] of samples) {
    const kind = sample.label.includes('several') ? `${path}, several` : path;
    expect(await runSample(sample, version), sample.source).toMatch(
      prints[kind] ?? /no output is expected of this one/,
    );
  }
}

test('every example of the document works', () => checkSamples(inject('sharedService')), 180_000);

test('every example works where a token is required', async () => {
  const digest = createHash('sha256').update(TOKEN).digest('hex');
  const worker = await startWorker({ model: 'brightness', vars: { API_TOKENS: digest } });
  try {
    await checkSamples(worker.url);
  } finally {
    await worker.stop();
  }
}, 180_000);
