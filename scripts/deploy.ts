/**
 * `npm run deploy -- [--env production|staging] [--dry-run] [--key FILE] [--smoke URL] [--token TOKEN] [--wait SECONDS]`
 *
 * Brings the model and the Worker online: checks everything that can be known beforehand, makes the bucket, publishes the
 * signed model, deploys, asks the service as a visitor would. Safe to repeat: what is there already is left alone.
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

/** All that can be known before anything is changed: every check runs, so that one run names everything that is missing. */
async function prepare(progress: Progress, options: DeployOptions): Promise<Prepared | undefined> {
  const { env, dryRun } = options;
  const configuration = await progress.check('configuration', () => checkConfiguration(env));
  const release =
    configuration && (await progress.check('model', () => checkRelease(configuration, options)));
  if (configuration) await progress.check('build', () => checkBuild(env));
  if (configuration && dryRun) await progress.check('start-up', () => checkStartup(env));
  if (configuration && !dryRun) await progress.check('login', () => checkLogin(configuration));
  return configuration && release && { configuration, release };
}

/** Everything that changes something online. */
async function bringOnline(
  progress: Progress,
  options: DeployOptions,
  { configuration, release }: Prepared,
): Promise<string> {
  const { env, smoke, token, wait } = options;
  const { keys = [], settings } = configuration;
  const channel = settings.MODEL_CHANNEL;
  await progress.step('bucket', () => ensureBucket(configuration));
  const { moved } = await progress.step('publish', () => publishRelease(env, configuration, release, keys));
  const modelBack = moved
    ? [
        `The model is published already. To go back to the one before it, if there was one:\n  npm run model:rollback -- --remote --env ${env}`,
      ]
    : [];
  const { address } = await progress.step('deploy', () => deployWorker(env, release, modelBack));
  const reachable = smoke ?? address;
  if (reachable === undefined)
    return `${configuration.name}, which has no address of its own (routes, workers_dev)`;
  const version = settings.MODEL_VERSION || release.version;
  const codeBack = `To go back to the code before it, if there was any:\n  npx wrangler rollback --env ${env}`;
  const advice = [`See what the Worker says:\n  npx wrangler tail --env ${env}`, codeBack, ...modelBack];
  const closed = settings.API_TOKENS.length > 0;
  await progress.step('smoke test', () =>
    smokeTest({ address: reachable, version, token, closed, wait, advice }),
  );
  if (version !== release.version)
    console.log(`wrangler.toml pins ${version}; channel ${channel} points elsewhere.`);
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
    const address = await bringOnline(progress, options, prepared);
    console.log(`\n  Husky AI: ${address}\n`);
  } catch (error) {
    if (!(error instanceof StepsFailed)) throw error;
    console.error(`\nTo do:\n\n${listAdvice(error.failures)}\n`);
    process.exitCode = 1;
  }
}

runCommand(main);
