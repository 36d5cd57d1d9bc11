import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import type { Env } from './config.ts';
import { ApiError, Internal, MethodNotAllowed, NotFound } from './errors.ts';
import type { Isolate } from './isolate.ts';
import { logRequest, reasonOf } from './log.ts';
import { problemResponse } from './problem.ts';
import { health } from './routes/health.ts';
import { huskyai } from './routes/huskyai.ts';
import { model } from './routes/model.ts';
import { predict } from './routes/predict.ts';

export interface AppEnv {
  Bindings: Env;
  Variables: { isolate: Isolate };
}

/**
 * The HTTP application: middleware and routes.
 *
 * @param isolateOf what the requests of this isolate share; asked at each request, since only there `env` is known
 */
export function createApp(isolateOf: (env: Env) => Isolate): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.use(secureHeaders());
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (_, allowed) => problemResponse(new MethodNotAllowed(allowed)),
    }),
  );
  app.use(async (c, next) => {
    c.set('isolate', isolateOf(c.env));
    await next();
    c.header('Cache-Control', 'no-store');
    const failure = c.error && asApiError(c.error);
    logRequest({
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      code: failure?.code,
      reason: failure && failure.status >= 500 ? reasonOf(c.error) : undefined,
    });
  });

  app.route('/api/predict', predict);
  app.route('/huskyai', huskyai);
  app.route('/api/model', model);
  app.route('/api/health', health);

  app.notFound(() => problemResponse(new NotFound('There is no such page or endpoint.')));
  app.onError((error) => problemResponse(asApiError(error)));
  return app;
}

function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new Internal('The failure is logged.', { cause: error });
}
