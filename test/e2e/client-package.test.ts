import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { launchChromium } from '../../scripts/chromium.ts';
import { solidPng } from '../pictures/png.ts';

const MODULES = ['answers', 'client', 'problem', 'transport'];

const Packed = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);

const origin = inject('sharedService');
let folder: string;
let files: readonly string[];
let photo: string;

/** Runs a command in the folder of a project that has installed the package. */
const run = (command: string, ...args: readonly string[]) =>
  execa(command, args, { cwd: folder, preferLocal: true, localDir: process.cwd(), all: true });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-package-'));
  const { stdout } = await execa(
    'npm',
    ['pack', './packages/client', '--json', '--silent', '--pack-destination', folder],
    {
      preferLocal: true,
    },
  );
  const [{ filename, files: packed }] = Packed.parse(JSON.parse(stdout.slice(stdout.indexOf('['))));
  files = packed.map(({ path }) => path);
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  await run('npm', 'install', '--offline', '--no-audit', '--no-fund', join(folder, filename));
  photo = Buffer.from(await solidPng([250, 250, 250])).toString('base64');
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A program that returns what the client makes of a photo, and of a text in its place. */
const program = (client: string) => `
import { ApiProblem, createClient } from '${client}';

export async function classify(origin, base64) {
  const husky = createClient({ origin });
  const photo = new Blob([Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))]);
  const { label } = await husky.predict(photo);
  const many = await husky.predictMany([photo, new Blob(['no photo'])]);
  const problem = await husky.predict(new Blob(['no photo'])).catch((error) => error);
  return [label, many.map((entry) => entry.label ?? entry.code), problem instanceof ApiProblem, problem.status];
}
`;

const EXPECTED = ['husky', ['husky', 'unsupported_media_type'], true, 415];

test('the package contains the modules, their declarations and nothing else, and needs no other', async () => {
  const dist = MODULES.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`]);
  expect(files.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json', 'dist/schemas.d.ts', ...dist].toSorted());
  const installed = await readFile(join(folder, 'node_modules', '.package-lock.json'), 'utf8');
  expect(Object.keys(JSON.parse(installed).packages)).toEqual(['node_modules/husky-ai-client']);
  for (const name of MODULES) {
    const text = await readFile(join(folder, 'node_modules/husky-ai-client/dist', `${name}.d.ts`), 'utf8');
    expect(text).not.toMatch(/: any\b|zod|\.\.\/\.\.\//);
  }
});

test.each([
  ['browsers', ['--lib', 'es2024,dom'], []],
  ['Node.js', ['--lib', 'es2024', '--types', 'node'], ['@types']],
  ['Workers', ['--lib', 'es2024', '--types', '@cloudflare/workers-types'], ['@cloudflare']],
])('its types serve a strict program for %s', async (_, options, types) => {
  for (const name of types) await symlink(resolve('node_modules', name), join(folder, 'node_modules', name));
  await writeFile(
    join(folder, 'program.ts'),
    `import { ApiProblem, type BatchEntry, createClient, type ModelInfo, type Prediction } from 'husky-ai-client';

const husky = createClient({ origin: 'https://husky.example', token: 'secret' });

export async function classify(photo: Blob): Promise<string> {
  const { label, scores = [] }: Prediction = await husky.predict(photo, { heatmap: true });
  const entries: BatchEntry[] = await husky.predictMany([photo]);
  const { labels }: ModelInfo = await husky.model();
  const codes: string[] = entries.map((entry) => ('code' in entry ? entry.code : entry.label));
  // @ts-expect-error A photo is no text.
  await husky.predict('photo').catch((error: unknown) => error instanceof ApiProblem && error.retryAfter);
  // @ts-expect-error There is no such status.
  if ((await husky.health()).status === 'good') return '';
  return [label, ...labels, ...codes, ...scores.map(({ score }) => score.toFixed(2))].join();
}
`,
  );
  const { all } = await run(
    'tsc',
    ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2022'],
    ...options,
    'program.ts',
  );
  expect(all).toBe('');
});

test('it works in Node.js', async () => {
  const main = `import { classify } from './classify.js';\nconsole.log(JSON.stringify(await classify('${origin}', '${photo}')));`;
  await writeFile(join(folder, 'classify.js'), program('husky-ai-client'));
  await writeFile(join(folder, 'main.js'), main);
  expect(JSON.parse((await run('node', 'main.js')).stdout)).toEqual(EXPECTED);
});

test('it works in a Worker', async () => {
  const dist = 'node_modules/husky-ai-client/dist';
  const worker = `${program(`./${dist}/client.js`)}
export default { fetch: async () => Response.json(await classify('${origin}', '${photo}')) };`;
  const toModule = (path: string, contents: string) => ({ type: 'ESModule' as const, path, contents });
  const client = MODULES.map(async (name) => {
    const path = `${dist}/${name}.js`;
    return toModule(path, await readFile(join(folder, path), 'utf8'));
  });
  const modules = [toModule('worker.mjs', worker), ...(await Promise.all(client))];
  const compatibilityDate = '2026-10-23';
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ cf: false, workers: [{ name: 'consumer', modules, compatibilityDate }] }),
  );
  try {
    expect(await (await miniflare.dispatchFetch('https://worker.test/')).json()).toEqual(EXPECTED);
  } finally {
    await miniflare.dispose();
  }
});

test('it works in a browser', async () => {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.route('**/package/*', async (route) => {
      const name = new URL(route.request().url()).pathname.replace('/package/', '');
      const body = await readFile(join(folder, 'node_modules/husky-ai-client/dist', name), 'utf8');
      await route.fulfill({ body, contentType: 'text/javascript' });
    });
    const body = program('./client.js');
    await page.route('**/package/program.js', (route) => route.fulfill({ body, contentType: 'text/javascript' }));
    await page.goto(`${origin}/`);
    const classify = `import('/package/program.js').then(({ classify }) => classify(location.origin, '${photo}'))`;
    expect(await page.evaluate(classify)).toEqual(EXPECTED);
  } finally {
    await browser.close();
  }
});
