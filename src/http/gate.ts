import type { MiddlewareHandler } from 'hono';
import { every } from 'hono/combine';
import type { AppEnv } from '../env.ts';
import { bearerToken } from './bearer-token.ts';
import { addressLimit, tokenLimit } from './rate-limit.ts';

/**
 * Guards every route that scores photos: counts the address, then checks and counts the token, before anything of the
 * body is read.
 *
 * @throws {RateLimited | Unauthorized}
 */
export const gate: MiddlewareHandler<AppEnv> = every(addressLimit, bearerToken, tokenLimit);
