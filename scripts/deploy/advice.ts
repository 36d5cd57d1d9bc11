import { StepFailed } from './progress.ts';
import type { WranglerResult } from './wrangler.ts';

const PERMISSIONS =
  'In CI, or without a browser, set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID; docs/deploy.md says what the token must allow.';

/** How to be let in. */
export const LOGIN = `Log in to Cloudflare:\n  npx wrangler login\n${PERMISSIONS}`;

/** What to do about the failures of the API that have a remedy of their own, by its numbers for them. */
const REMEDIES: ReadonlyMap<number, string> = new Map([
  ...[6003, 6111, 9106, 9109, 10000, 10001, 10405].map((code) => [code, LOGIN] as const),
  [10027, 'The Worker is larger than the plan allows: it needs the paid Workers plan.'],
  [10042, 'Enable R2 once for the account, in its dashboard under "R2 object storage".'],
  [10063, 'Register a workers.dev subdomain once for the account, in its dashboard under "Workers & Pages".'],
  [100328, 'A prediction needs more CPU time than the free plan gives: it needs the paid Workers plan.'],
]);

/** The failure of a step that wrangler did not get through, with what can be done about it. */
export function refused(
  step: string,
  { reason, code }: WranglerResult,
  further: readonly string[] = [],
): StepFailed {
  const remedy = code === undefined ? undefined : REMEDIES.get(code);
  return new StepFailed(`${step}: ${reason}`, [
    remedy ?? 'Run the same command again: what is done is not done twice.',
    ...further,
  ]);
}
