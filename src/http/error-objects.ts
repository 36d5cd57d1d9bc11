import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../env.ts';

/** Reports failures as the clients of other protocols expect them: as JSON with the text in `error`. */
export const errorObjects: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set('errorObjects', true);
  await next();
};
