import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../env.ts';
import { Unauthorized } from '../errors.ts';

/**
 * Requires a known bearer token (RFC 6750) where tokens are configured. Sets `tokenDigest`, the key of the token's
 * rate limit.
 *
 * @throws {Unauthorized} the token is missing or wrong
 */
export const bearerToken: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { API_TOKENS } = c.var.service.config;
  if (API_TOKENS.length > 0) {
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(c.req.header('Authorization') ?? '')?.[1];
    if (token === undefined) {
      throw new Unauthorized("Send a token in the header 'Authorization: Bearer …'.", false);
    }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
    if (!isAmong(digest, API_TOKENS)) throw new Unauthorized('This token is not valid here.', true);
    c.set('tokenDigest', digest.toHex());
  }
  await next();
};

/** Compares with every known token, each in constant time, so that timing reveals nothing. */
function isAmong(digest: Uint8Array, known: readonly string[]): boolean {
  let found = false;
  for (const hex of known) {
    if (crypto.subtle.timingSafeEqual(digest, Uint8Array.fromHex(hex))) found = true;
  }
  return found;
}
