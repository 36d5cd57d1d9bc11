import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRelease } from '../../registry/release.ts';
import { tinyRelease } from '../e2e/page-models.ts';

const run = promisify(execFile);
const PIN = 'a'.repeat(64);

let project: string;
let folders: string[];
let versions: string[];

// A separate project with its own configuration, development key and bucket.
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'husky-ai-project-'));
  folders = [await tinyRelease('brightness'), await tinyRelease('colour')];
  versions = [];
  for (const folder of folders) versions.push((await readRelease(folder)).version.slice(0, 12));
  await configure('');
});
afterAll(async () => {
  for (const folder of [project, ...folders]) await rm(folder, { recursive: true });
});

async function configure(pin: string): Promise<void> {
  const config = `name = "husky"
compatibility_date = "2026-10-23"
[vars]
MODEL_VERSION = "${pin}"
[[r2_buckets]]
binding = "MODELS"
bucket_name = "models"
`;
  await writeFile(join(project, 'wrangler.toml'), config);
}

async function command(name: string, ...args: string[]): Promise<string> {
  const script = resolve('registry', `${name}.ts`);
  const { stdout } = await run(process.execPath, [script, ...args], { cwd: project });
  return stdout;
}

test('publish, list, roll back, promote and audit on the command line', async () => {
  const [first = '', second = ''] = versions;
  expect(await command('publish', folders[0] ?? '')).toContain('now points at this version');
  expect(await command('publish', folders[1] ?? '')).toContain('now points at this version');
  expect(await command('publish', folders[1] ?? '')).toContain('all existed already');
  expect(await command('list')).toMatch(new RegExp(`^\\* ${second}  tiny-colour`, 'm'));
  expect(await command('promote', 'rollback')).toContain(`now points at ${first}`);
  expect(await command('promote', 'promote', second)).toContain(`now points at ${second}`);
  const audit = await command('audit');
  for (const action of ['publish', 'rollback', 'promote']) expect(audit).toContain(action);
  expect(audit).toMatch(/4 records, the last one is [0-9a-f]{64}/);
});

test('a canary on the command line', async () => {
  const [first = '', second = ''] = versions;
  expect(await command('promote', 'promote', first)).toContain('now points at');
  expect(await command('canary', 'canary', second, '--share', '10')).toContain(`now tries ${second} in 10 %`);
  expect(await command('list')).toMatch(new RegExp(`^\\? ${second}  tiny-colour[^]*10 % of the isolates`, 'm'));
  expect(await command('canary', 'abort')).toContain(`no longer tries ${second}`);
  const audit = await command('audit');
  expect(audit).toContain(`${first}, 10 % ${second}`);
  expect(audit).toContain(`${first}, without ${second}`);
});

test('one line reports that there is nothing to promote or to roll back to', async () => {
  for (const args of [['promote', 'ffff'], ['promote'], ['abort'], ['rollback', '--channel', 'empty']]) {
    const script = args[0] === 'abort' ? 'canary' : 'promote';
    const failure: unknown = await command(script, ...args).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^(no version|the channel)[^\n]*\n$/),
    });
  }
});

test('with a pinned version, publish, promote and rollback say that it is still served', async () => {
  await configure(PIN);
  const pinned = `wrangler.toml pins ${PIN.slice(0, 12)}`;
  expect(await command('publish', folders[0] ?? '')).toContain(pinned);
  expect(await command('promote', 'promote', versions[1] ?? '')).toContain(pinned);
  expect(await command('promote', 'rollback')).toContain(pinned);
});
