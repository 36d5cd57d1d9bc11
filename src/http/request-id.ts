import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../env.ts';

/**
 * Gives the request an id and returns it in `X-Request-Id`: Cloudflare's own (`CF-Ray`), so that the platform's logs
 * contain it too, or a random one.
 */
export const requestId: MiddlewareHandler<AppEnv> = async (c, next) => {
  const ray = c.req.header('CF-Ray');
  const id = ray && /^[\w-]{1,64}$/.test(ray) ? ray : crypto.randomUUID();
  c.set('requestId', id);
  await next();
  c.header('X-Request-Id', id);
};
