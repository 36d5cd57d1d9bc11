import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { API_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { solidPng } from '../pictures/png.ts';
import { markedJpeg, newMarks } from './marks.ts';
import { tinyRelease } from './page-models.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

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
let release: string;
let folder: string;

beforeAll(async () => {
  python = await preparePython(API_ENVIRONMENT);
  release = await tinyRelease('brightness');
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-examples-'));
  // Where the typed client is, seen from the root of the repository.
  await symlink(resolve('static'), join(folder, 'static'));
  await writeFile(join(folder, 'photo.jpg'), markedJpeg(newMarks()));
  await writeFile(join(folder, 'other.png'), await solidPng([250, 250, 250]));
}, 600_000);

afterAll(async () => {
  for (const each of [release, folder]) await rm(each, { recursive: true, force: true });
});

type Sample = z.infer<typeof Sample>;

/** All examples of the document, by what they ask. */
async function samplesOf(worker: RunningWorker): Promise<readonly (readonly [operation: string, Sample])[]> {
  const { paths } = Document.parse(await (await fetch(`${worker.url}/openapi.json`)).json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap((operation) =>
      operation['x-codeSamples'].map((sample) => [path, sample] as const),
    ),
  );
}

/** Runs an example beside the two photos, just as it stands in the document; what it prints. */
async function runSample({ lang, source }: Sample): Promise<string> {
  const env = { ...pythonEnvironment(), HUSKY_AI_TOKEN: TOKEN };
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

/** What each kind of example must print, at least. */
const prints: Record<string, RegExp> = {
  '/api/predict': /not husky/,
  '/api/predict, several': /not husky[\s\S]*husky/,
  '/huskyai/': /Does not look like a husky to me\./,
  '/api/model': /tiny-brightness/,
  '/api/health': /ok/,
};

test.each([
  ['open', {}],
  ['that asks for a token', { API_TOKENS: createHash('sha256').update(TOKEN).digest('hex') }],
])(
  'every example of the document works with a service %s',
  async (_, vars) => {
    const worker = await startWorker({ release, vars });
    try {
      const samples = await samplesOf(worker);
      const languages = samples.filter(([path]) => path === '/api/predict').map(([, { lang }]) => lang);
      expect(new Set(languages)).toEqual(new Set(['Shell', 'TypeScript', 'Python']));
      for (const [path, sample] of samples) {
        const kind = sample.label.includes('several') ? `${path}, several` : path;
        const printed = await runSample(sample);
        expect(printed, sample.source).toMatch(prints[kind] ?? /nothing is expected of this one/);
      }
    } finally {
      await worker.stop();
    }
  },
  180_000,
);
