import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { AppEnv } from '../app.ts';
import { configOf } from '../config.ts';

/** Lets the pages of the configured origins, and of no others, call the API; answers their preflights. */
export const crossOrigin: MiddlewareHandler<AppEnv> = (c, next) => {
  const origins = configOf(c.env).CORS_ORIGINS;
  const preflight = c.req.header('Access-Control-Request-Method') !== undefined;
  if (origins.length === 0 || (c.req.method === 'OPTIONS' && !preflight)) return next();
  const handle = cors({
    origin: origins.includes('*') ? '*' : origins,
    allowMethods: ['GET', 'HEAD', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type'],
    exposeHeaders: ['RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
    maxAge: 86_400,
  });
  return handle(c, next);
};
