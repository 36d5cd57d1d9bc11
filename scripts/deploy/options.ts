import { parseArgs } from 'node:util';
import { DEFAULT_ENVIRONMENT, ENVIRONMENTS } from '../../registry/environment.ts';
import { RELEASE_FOLDER } from '../../registry/release.ts';

export const USAGE = `npm run deploy -- [--env ${ENVIRONMENTS.join('|')}] [--dry-run] [--model FOLDER] [--key FILE]
                 [--smoke URL] [--token TOKEN] [--wait SECONDS]

  --env       the environment of wrangler.toml (${DEFAULT_ENVIRONMENT})
  --dry-run   only the checks that need no network and change nothing
  --model     the folder of the model (${RELEASE_FOLDER})
  --key       the private key that signs the model if it is unsigned
  --smoke     the address for the smoke test, instead of the one that the Worker gets
  --token     the bearer token for the smoke test, if API_TOKENS is set
  --wait      how long to wait for a new address to answer (180)`;

export interface DeployOptions {
  readonly env: (typeof ENVIRONMENTS)[number];
  readonly dryRun: boolean;
  /** The folder of the version. */
  readonly model: string;
  /** The file with the private key. */
  readonly key: string | undefined;
  readonly smoke: string | undefined;
  readonly token: string | undefined;
  /** In milliseconds. */
  readonly wait: number;
}

/**
 * Parses the command line.
 *
 * @throws {Error} an option is unknown or not valid
 */
export function readOptions(args: readonly string[]): DeployOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      env: { type: 'string', default: DEFAULT_ENVIRONMENT },
      'dry-run': { type: 'boolean', default: false },
      model: { type: 'string', default: RELEASE_FOLDER },
      key: { type: 'string' },
      smoke: { type: 'string' },
      token: { type: 'string' },
      wait: { type: 'string', default: '180' },
    },
  });
  const env = ENVIRONMENTS.find((name) => name === values.env);
  if (!env) throw new Error(`--env takes ${ENVIRONMENTS.join(' or ')}`);
  if (values.smoke !== undefined && !/^https?:/.test(values.smoke)) throw new Error('--smoke takes an http(s) address');
  const wait = Number(values.wait) * 1000;
  if (!(wait >= 0)) throw new Error('--wait takes a number of seconds');
  const { model, key, smoke, token } = values;
  return { env, dryRun: values['dry-run'], model, key, smoke, token, wait };
}
