import { parseArgs } from 'node:util';
import { DEFAULT_ENVIRONMENT, ENVIRONMENTS } from '../../registry/environment.ts';

export const USAGE = `npm run deploy -- [--env ${ENVIRONMENTS.join('|')}] [--dry-run] [--key FILE]
                 [--smoke URL] [--token TOKEN] [--wait SECONDS]

  --env       which environment of wrangler.toml (${DEFAULT_ENVIRONMENT})
  --dry-run   everything that needs no network and changes nothing
  --key       the private key that signs the model, where it is not signed yet
  --smoke     where to reach the service for the last check, instead of the address that it gets
  --token     the bearer token to ask with, where API_TOKENS is set
  --wait      how long a new address may take until it answers (180)`;

export interface DeployOptions {
  readonly env: (typeof ENVIRONMENTS)[number];
  readonly dryRun: boolean;
  /** The file with the private key. */
  readonly key: string | undefined;
  readonly smoke: string | undefined;
  readonly token: string | undefined;
  /** In milliseconds. */
  readonly wait: number;
}

/**
 * The options in these arguments.
 *
 * @throws {Error} one is unknown, or not what it should be
 */
export function readOptions(args: readonly string[]): DeployOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      env: { type: 'string', default: DEFAULT_ENVIRONMENT },
      'dry-run': { type: 'boolean', default: false },
      key: { type: 'string' },
      smoke: { type: 'string' },
      token: { type: 'string' },
      wait: { type: 'string', default: '180' },
    },
  });
  const env = ENVIRONMENTS.find((name) => name === values.env);
  if (!env) throw new Error(`--env takes ${ENVIRONMENTS.join(' or ')}`);
  if (values.smoke !== undefined && !/^https?:/.test(values.smoke))
    throw new Error('--smoke takes an http(s) address');
  const wait = Number(values.wait) * 1000;
  if (!(wait >= 0)) throw new Error('--wait takes a number of seconds');
  const { key, smoke, token } = values;
  return { env, dryRun: values['dry-run'], key, smoke, token, wait };
}
