import { type Context, Hono } from 'hono';
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
  Variables: { isolate: Isolate; failure?: ApiError };
}

/**
 * The HTTP application: middleware and routes.
 *
 * @param isolateOf what the requests of this isolate share; asked at each request, since only there `env` is known
 */
export function createApp(isolateOf: (env: Env) => Isolate): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.use(secureHeaders());
  app.use(async (c, next) => {
    c.set('isolate', isolateOf(c.env));
    await next();
    c.header('Cache-Control', 'no-store');
    const { failure } = c.var;
    logRequest({
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      code: failure?.code,
      reason: failure && failure.status >= 500 ? reasonOf(failure) : undefined,
    });
  });
  app.use(
    methodNotAllowed({ app, onMethodNotAllowed: (c, allowed) => fail(c, new MethodNotAllowed(allowed)) }),
  );

  app.route('/api/predict', predict);
  app.route('/huskyai', huskyai);
  app.route('/api/model', model);
  app.route('/api/health', health);

  app.notFound((c) => fail(c, new NotFound('There is no such page or endpoint.')));
  app.onError((error, c) =>
    fail(c, error instanceof ApiError ? error : new Internal('It is logged.', { cause: error })),
  );
  return app;
}

function fail(c: Context<AppEnv>, failure: ApiError): Response {
  c.set('failure', failure);
  return problemResponse(failure);
}
