import { StepFailed } from './progress.ts';
import type { WranglerResult } from './wrangler.ts';

const PERMISSIONS =
  'In CI, or without a browser, set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID; docs/deploy.md lists the permissions of the token.';

export const LOGIN = `Log in to Cloudflare:\n  npx wrangler login\n${PERMISSIONS}`;

/** Remedies by the API's error code. */
const REMEDIES: ReadonlyMap<number, string> = new Map([
  ...[6003, 6111, 9106, 9109, 10000, 10001, 10405].map((code) => [code, LOGIN] as const),
  [10027, 'The Worker is larger than the plan allows: it needs the paid Workers plan.'],
  [10042, 'Enable R2 for the account, in the dashboard under "R2 object storage".'],
  [10063, 'Register a workers.dev subdomain for the account, in the dashboard under "Workers & Pages".'],
  [100328, 'A prediction needs more CPU time than the free plan gives: it needs the paid Workers plan.'],
]);

/** The failure of a step that wrangler could not complete, with advice. */
export function refused(
  step: string,
  { reason, code }: WranglerResult,
  further: readonly string[] = [],
): StepFailed {
  const remedy = code === undefined ? undefined : REMEDIES.get(code);
  return new StepFailed(`${step}: ${reason}`, [
    remedy ?? 'Run the same command again: it skips what is done.',
    ...further,
  ]);
}
