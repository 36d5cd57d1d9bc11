import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { AppEnv } from '../env.ts';

/** Lets pages of the configured origins call the API with any headers, and answers their preflight requests. */
export const crossOrigin: MiddlewareHandler<AppEnv> = (c, next) => {
  const origins = c.var.service.config.CORS_ORIGINS;
  const preflight = c.req.header('Access-Control-Request-Method') !== undefined;
  if (origins.length === 0 || (c.req.method === 'OPTIONS' && !preflight)) return next();
  const handle = cors({
    origin: origins.includes('*') ? '*' : origins,
    allowMethods: ['GET', 'HEAD', 'POST'],
    exposeHeaders: [
      'Inference-Header-Content-Length',
      'RateLimit-Policy',
      'Retry-After',
      'X-Model-Version',
      'X-Request-Id',
    ],
    maxAge: 86_400,
  });
  return handle(c, next);
};
