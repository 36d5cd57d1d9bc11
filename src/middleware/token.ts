import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';
import { Unauthorized } from '../errors.ts';

/**
 * Lets only requests with a known bearer token (RFC 6750) pass, where tokens are configured. Sets `tokenDigest`, by
 * which the token's photos are counted.
 *
 * @throws {Unauthorized} there is no token, or a wrong one
 */
export const bearerToken: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { API_TOKENS } = configOf(c.env);
  if (API_TOKENS.length > 0) {
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(c.req.header('Authorization') ?? '')?.[1];
    if (token === undefined) {
      throw new Unauthorized("Send a token in the header 'Authorization: Bearer …'.", false);
    }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
    if (!isAmong(digest, API_TOKENS)) throw new Unauthorized('This token is not known here.', true);
    c.set('tokenDigest', digest.toHex());
  }
  await next();
};

/** Compares with all of them, each in constant time, so that how long it takes tells nothing. */
function isAmong(digest: Uint8Array, known: readonly string[]): boolean {
  let found = false;
  for (const hex of known) {
    if (crypto.subtle.timingSafeEqual(digest, Uint8Array.fromHex(hex))) found = true;
  }
  return found;
}
