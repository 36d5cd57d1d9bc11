import { parseArgs } from 'node:util';
import * as z from 'zod';
import { ModelUntrusted } from '../src/errors.ts';
import { InvalidSignature } from '../src/model/oms/invalid-signature.ts';
import type { BucketOptions } from './bucket.ts';
import { DEFAULT_ENVIRONMENT, readSettings } from './environment.ts';

/** Runs a command. An error prints one line to standard error and sets the exit status to 1. */
export function runCommand(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof ModelUntrusted ? `Refused: ${describe(error)}` : describe(error));
    process.exitCode = 1;
  });
}

/** The error's message; a refusal's with its cause. */
function describe(error: unknown): string {
  if (error instanceof InvalidSignature) return `${error.reason}: ${error.message}`;
  if (error instanceof z.ZodError) return error.issues.map(describeIssue).join('; ');
  if (error instanceof ModelUntrusted && error.cause !== undefined) return `${error.message} ${describe(error.cause)}`;
  return error instanceof Error ? error.message : String(error);
}

/** Where the value is, and what is wrong with it. */
function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('.')}: ${message}`;
}

export const DEFAULT_CHANNEL = 'production';

export interface BucketArguments {
  readonly target: BucketOptions;
  readonly channel: string;
  readonly positionals: readonly string[];
}

/** The options shared by all commands that work on a bucket. */
export const BUCKET_OPTIONS = {
  remote: { type: 'boolean', default: false },
  env: { type: 'string' },
  channel: { type: 'string' },
  'persist-to': { type: 'string' },
} as const;

/** Parses the arguments of a command that has only the shared options. */
export function bucketArguments(): BucketArguments {
  return readBucketArguments(parseArgs({ allowPositionals: true, options: BUCKET_OPTIONS }));
}

interface Parsed {
  readonly values: {
    readonly remote: boolean;
    readonly env?: string | undefined;
    readonly channel?: string | undefined;
    readonly 'persist-to'?: string | undefined;
  };
  readonly positionals: string[];
}

/** The shared options among those that a command has parsed. */
export function readBucketArguments({ values, positionals }: Parsed): BucketArguments {
  const env = values.env ?? (values.remote ? DEFAULT_ENVIRONMENT : undefined);
  const target = { remote: values.remote, env, persistTo: values['persist-to'] };
  return { target, channel: values.channel ?? readSettings(env).MODEL_CHANNEL, positionals };
}
