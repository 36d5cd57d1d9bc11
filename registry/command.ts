import { parseArgs } from 'node:util';
import type { BucketOptions } from './bucket.ts';
import { DEFAULT_ENVIRONMENT, readEnvironment } from './environment.ts';

/** Runs a command: an error is one line on standard error and the exit code 1. */
export function runCommand(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}

export const DEFAULT_CHANNEL = 'production';

export interface BucketArguments {
  readonly target: BucketOptions;
  readonly channel: string;
  readonly positionals: readonly string[];
}

/** The arguments that all commands share which work on the bucket. */
export function bucketArguments(): BucketArguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      remote: { type: 'boolean', default: false },
      env: { type: 'string' },
      channel: { type: 'string' },
      'persist-to': { type: 'string' },
    },
  });
  const env = values.env ?? (values.remote ? DEFAULT_ENVIRONMENT : undefined);
  const target = { remote: values.remote, env, persistTo: values['persist-to'] };
  return { target, channel: values.channel ?? readEnvironment(env).vars.MODEL_CHANNEL, positionals };
}
