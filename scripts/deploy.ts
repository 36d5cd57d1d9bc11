/**
 * `npm run deploy -- [--env production|staging] [--dry-run] [--key FILE] [--smoke URL] [--token TOKEN] [--wait SECONDS]`
 *
 * Deploys the model and the Worker: checks all it can in advance, creates the bucket, publishes the signed model, deploys
 * the Worker and tests it as a visitor. Safe to repeat: it skips what is done.
 */

import { runCommand } from '../registry/command.ts';
import type { Release } from '../registry/release.ts';
import { checkLogin } from './deploy/account.ts';
import { type Configuration, checkConfiguration } from './deploy/configuration.ts';
import { type DeployOptions, readOptions, USAGE } from './deploy/options.ts';
import { listAdvice, Progress, StepsFailed } from './deploy/progress.ts';
import { checkRelease } from './deploy/release.ts';
import { smokeTest } from './deploy/smoke.ts';
import { ensureBucket, publishRelease } from './deploy/storage.ts';
import { checkBuild, checkStartup, deployWorker } from './deploy/worker.ts';

interface Prepared {
  readonly configuration: Configuration;
  readonly release: Release;
}

/** Runs all checks before anything changes, so that one run reports everything that is missing. */
async function prepare(progress: Progress, options: DeployOptions): Promise<Prepared | undefined> {
  const { env, dryRun } = options;
  const configuration = await progress.check('configuration', () => checkConfiguration(env));
  const release = configuration && (await progress.check('model', () => checkRelease(configuration, options)));
  if (configuration) await progress.check('build', () => checkBuild(env));
  if (configuration && dryRun) await progress.check('start-up', () => checkStartup(env));
  if (configuration && !dryRun) await progress.check('login', () => checkLogin(configuration));
  return configuration && release && { configuration, release };
}

/** Makes all changes online and returns the address. */
async function putOnline(
  progress: Progress,
  options: DeployOptions,
  { configuration, release }: Prepared,
): Promise<string> {
  const { env, smoke, token, wait } = options;
  const { keys = [], settings } = configuration;
  const channel = settings.MODEL_CHANNEL;
  await progress.step('bucket', () => ensureBucket(configuration));
  const { moved } = await progress.step('publish', () => publishRelease(options, configuration, release, keys));
  const modelRollback = moved
    ? [
        `The model is published. To return to the previous one, if any:\n  npm run model:rollback -- --remote --env ${env}`,
      ]
    : [];
  const { address } = await progress.step('deploy', () => deployWorker(env, release, modelRollback));
  const reachable = smoke ?? address;
  if (reachable === undefined) return `${configuration.name}, without an address of its own (routes, workers_dev)`;
  const version = settings.MODEL_VERSION || release.version;
  const codeRollback = `To return to the previous Worker, if any:\n  npx wrangler rollback --env ${env}`;
  const advice = [`Read the Worker's log:\n  npx wrangler tail --env ${env}`, codeRollback, ...modelRollback];
  const closed = settings.API_TOKENS.length > 0;
  await progress.step('smoke test', () => smokeTest({ address: reachable, version, token, closed, wait, advice }));
  if (version !== release.version) console.log(`wrangler.toml pins ${version}; channel ${channel} points elsewhere.`);
  return address ?? reachable;
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return;
  }
  const options = readOptions(process.argv.slice(2));
  const progress = new Progress();
  try {
    const prepared = await prepare(progress, options);
    if (options.dryRun) {
      const wrong = progress.failures.filter(({ missing }) => !missing);
      if (wrong.length > 0) throw new StepsFailed(wrong);
      if (progress.failures.length > 0) {
        console.log(`\nNothing is wrong. Before the first deployment:\n\n${listAdvice(progress.failures)}`);
      } else console.log(`\nReady: npm run deploy -- --env ${options.env}`);
      return;
    }
    if (!prepared || progress.failures.length > 0) throw new StepsFailed(progress.failures);
    const address = await putOnline(progress, options, prepared);
    console.log(`\n  Husky AI: ${address}\n`);
  } catch (error) {
    if (!(error instanceof StepsFailed)) throw error;
    console.error(`\nTo do:\n\n${listAdvice(error.failures)}\n`);
    process.exitCode = 1;
  }
}

runCommand(main);
