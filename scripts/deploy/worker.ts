import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Release } from '../../registry/release.ts';
import { shortVersion } from '../../src/model/layout.ts';
import { refused } from './advice.ts';
import { type Done, StepFailed } from './progress.ts';
import { runWrangler } from './wrangler.ts';

/** The platform's limit for an uncompressed Worker. */
const LARGEST_UPLOAD_KIB = 64 * 1024;

/**
 * Bundles the Worker without uploading it, and reports its size.
 *
 * @throws {StepFailed} it cannot be bundled, or is too large
 */
export async function checkBuild(env: string): Promise<Done<void>> {
  const result = await runWrangler('deploy', '--dry-run', '--env', env);
  if (!result.ok) throw new StepFailed(result.reason, ['Fix the build: npm run check reports more.']);
  const [, raw, gzip] = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(result.stdout) ?? [];
  const size = Number(raw);
  if (size > LARGEST_UPLOAD_KIB) {
    throw new StepFailed(`the Worker has ${raw} KiB`, [
      `The platform accepts up to ${LARGEST_UPLOAD_KIB} KiB.`,
    ]);
  }
  return { value: undefined, said: `${mebibytes(size)}, ${mebibytes(Number(gzip))} compressed` };
}

const mebibytes = (kibibytes: number) => `${(kibibytes / 1024).toFixed(1)} MiB`;

/**
 * Starts the Worker in a local workerd; the platform allows one second.
 *
 * @throws {StepFailed} it does not start
 */
export async function checkStartup(env: string): Promise<Done<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-startup-'));
  try {
    const result = await runWrangler(
      'check',
      'startup',
      '--env',
      env,
      '--outfile',
      join(folder, 'startup.cpuprofile'),
    );
    // wrangler allows ten seconds: exceeding that means a busy machine, not a slow Worker.
    if (/timed out/.test(result.reason))
      return { value: undefined, said: 'not measured: this machine is too busy' };
    if (!result.ok) throw new StepFailed(result.reason, ['Fix what keeps the Worker from starting.']);
    const [, active] = /Active: ([\d.]+) ms/.exec(result.stdout) ?? [];
    return {
      value: undefined,
      said: active ? `${Math.round(Number(active))} ms on this machine` : 'it starts',
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Deployed {
  /** Undefined if the Worker has no address of its own. */
  readonly address: string | undefined;
  /** The platform's id of this version of the Worker. */
  readonly version: string | undefined;
}

/**
 * Uploads the Worker, tagged with the commit and the model, and routes all traffic to it.
 *
 * @throws {StepFailed} the platform refuses it: then the previous Worker stays online
 */
export async function deployWorker(
  env: string,
  release: Release,
  advice: readonly string[],
): Promise<Done<Deployed>> {
  const commit = await currentCommit();
  const tag = commit ? ['--tag', commit] : [];
  const model = `model ${release.manifest.name} ${shortVersion(release.version)}`;
  const message = commit ? `commit ${commit}, ${model}` : model;
  const result = await runWrangler('deploy', '--env', env, ...tag, '--message', message);
  if (!result.ok) throw refused('the deployment did not complete', result, advice);
  const address = findAddress(result.targets);
  return {
    value: { address, version: result.version },
    said: [result.version && `version ${result.version}`, message].filter(Boolean).join(', '),
  };
}

/** The first target of a deployment that is a whole host, unlike schedules and routes with a path. */
function findAddress(targets: readonly string[]): string | undefined {
  for (const target of targets) {
    const host = /^(?:https:\/\/)?((?:[a-z0-9-]+\.)+[a-z0-9-]+)(?: \(custom domain.*\))?$/i.exec(target)?.[1];
    if (host) return `https://${host}`;
  }
  return undefined;
}

/** The abbreviated commit, marked if there are uncommitted changes; undefined outside a repository. */
async function currentCommit(): Promise<string | undefined> {
  const git = async (...args: readonly string[]) => (await promisify(execFile)('git', args)).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short=12', 'HEAD');
    const changes = await git('status', '--porcelain', '--untracked-files=no');
    return changes === '' ? commit : `${commit}-changed`;
  } catch {
    return undefined;
  }
}
