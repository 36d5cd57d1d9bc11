import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { routePath } from 'hono/route';
import type { Env } from './config.ts';
import { ApiError, Internal, MethodNotAllowed, NotFound } from './errors.ts';
import type { Isolate } from './isolate.ts';
import { describeDetails, logRequest, noDetails, type PhotoDetails, reasonOf } from './log.ts';
import { crossOrigin } from './middleware/cross-origin.ts';
import { requestId } from './middleware/request-id.ts';
import { PAGE_POLICY, securityHeaders } from './middleware/security-headers.ts';
import { prefersHtml } from './negotiation.ts';
import { problemOf } from './problem.ts';
import { docs } from './routes/docs.ts';
import { health } from './routes/health.ts';
import { huskyai } from './routes/huskyai.ts';
import { model } from './routes/model.ts';
import { openapi } from './routes/openapi.ts';
import { predict } from './routes/predict.ts';
import { problemPage } from './views/result.ts';

export interface AppEnv {
  Bindings: Env;
  Variables: {
    isolate: Isolate;
    requestId: string;
    details: PhotoDetails;
    failure?: ApiError;
    /** The SHA-256 of the client's bearer token, hex. */
    tokenDigest?: string;
  };
}

/**
 * The HTTP application: middleware and routes.
 *
 * @param isolateOf what the requests of this isolate share; asked at each request, since only there `env` is known
 */
export function createApp(isolateOf: (env: Env) => Isolate): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.use(securityHeaders);
  app.use(requestId);
  app.use(async (c, next) => {
    c.set('details', noDetails());
    await next();
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
    const { failure, details, requestId: request } = c.var;
    logRequest({
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      code: failure?.code,
      reason: failure && failure.status >= 500 ? reasonOf(failure) : undefined,
      ...describeDetails(details),
      request,
    });
  });
  app.use(async (c, next) => {
    c.set('isolate', isolateOf(c.env));
    await next();
  });
  app.use(crossOrigin);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: otherMethod }));

  app.route('/api/predict', predict);
  app.route('/huskyai', huskyai);
  app.route('/api/model', model);
  app.route('/api/health', health);
  app.route('/openapi.json', openapi);
  app.route('/docs', docs);

  app.notFound((c) => fail(c, new NotFound('There is no such page or endpoint.')));
  app.onError((error, c) =>
    fail(c, error instanceof ApiError ? error : new Internal('It is logged.', { cause: error })),
  );
  return app;
}

/** The failure as `application/problem+json`, or as a page where that is wanted. */
function fail(c: Context<AppEnv>, failure: ApiError): Response | Promise<Response> {
  c.set('failure', failure);
  c.header('Vary', 'Accept', { append: true });
  for (const [name, value] of Object.entries(failure.headers)) c.header(name, value);
  const problem = { ...problemOf(failure), requestId: c.var.requestId };
  if (prefersHtml(c)) {
    c.header('Content-Security-Policy', PAGE_POLICY);
    return c.html(problemPage(problem), failure.status);
  }
  c.header('Content-Type', 'application/problem+json');
  return c.body(JSON.stringify(problem), failure.status);
}

/** A path that exists, by a method that none of its routes has. */
function otherMethod(c: Context<AppEnv>, allowed: readonly string[]): Response | Promise<Response> {
  const methods = [...allowed, 'OPTIONS'];
  if (c.req.method === 'OPTIONS') return c.body(null, 204, { Allow: methods.join(', ') });
  return fail(c, new MethodNotAllowed(methods));
}
