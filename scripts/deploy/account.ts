import * as z from 'zod';
import { LOGIN, refused } from './advice.ts';
import type { Configuration } from './configuration.ts';
import { type Done, StepFailed } from './progress.ts';
import { runWrangler } from './wrangler.ts';

const Answer = z.discriminatedUnion('loggedIn', [
  z.object({ loggedIn: z.literal(false) }),
  z.object({
    loggedIn: z.literal(true),
    authType: z.string(),
    email: z.string().optional(),
    accounts: z.array(z.object({ id: z.string(), name: z.string() })),
  }),
]);

/**
 * Checks who is logged in and which account to deploy to.
 *
 * @throws {StepFailed} nobody is, the login is not valid, or the account is ambiguous
 */
export async function checkLogin({ account }: Configuration): Promise<Done<void>> {
  const result = await runWrangler('whoami', '--json');
  const answer = /^\{/m.test(result.stdout) ? Answer.parse(JSON.parse(result.stdout)) : undefined;
  if (!answer) throw refused('cannot determine who is logged in', result);
  if (!answer.loggedIn) throw new StepFailed('nobody is logged in', [LOGIN], { missing: true });
  const { accounts, authType, email } = answer;
  const wanted = account ?? process.env.CLOUDFLARE_ACCOUNT_ID;
  const [first, ...others] = wanted === undefined ? accounts : accounts.filter(({ id }) => id === wanted);
  if (wanted === undefined && others.length > 0) {
    const list = accounts.map(({ id, name }) => `  account_id = "${id}"  # ${name}`).join('\n');
    throw new StepFailed('the login has more than one account', [
      `Add one of these at the top of wrangler.toml:\n${list}`,
    ]);
  }
  // A token without permission to list accounts can still be valid for the named one.
  const where = first?.name ?? wanted;
  if (where === undefined) throw new StepFailed('the login has no account', [LOGIN]);
  return { value: undefined, said: `${email ?? authType}, account ${where}` };
}
