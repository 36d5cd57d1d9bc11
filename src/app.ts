import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { AppEnv, Service } from './env.ts';
import { MethodNotAllowed, NotFound } from './errors.ts';
import { crossOrigin } from './http/cross-origin.ts';
import { errorObjects } from './http/error-objects.ts';
import { respondWithProblem } from './http/problem.ts';
import { requestId } from './http/request-id.ts';
import { requestLog } from './http/request-log.ts';
import { securityHeaders } from './http/security-headers.ts';
import { docs } from './routes/docs.ts';
import { health } from './routes/health.ts';
import { huggingFace } from './routes/hugging-face.ts';
import { huskyai } from './routes/huskyai.ts';
import { kserve } from './routes/kserve.ts';
import { model } from './routes/model.ts';
import { openInference } from './routes/open-inference.ts';
import { openapi } from './routes/openapi.ts';
import { predict } from './routes/predict.ts';

/** The HTTP application: middleware and routes around the service. */
export function createApp(service: Service): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.use(securityHeaders);
  app.use(requestId);
  app.use(requestLog);
  app.use(async (c, next) => {
    c.set('service', service);
    await next();
  });
  for (const path of ['/models/*', '/v1/*', '/v2/*']) app.use(path, errorObjects);
  app.use(crossOrigin);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }));

  app.route('/api/predict', predict);
  app.route('/huskyai', huskyai);
  app.route('/models', huggingFace);
  app.route('/v1/models', kserve);
  app.route('/v2', openInference);
  app.route('/api/model', model);
  app.route('/api/health', health);
  app.route('/openapi.json', openapi);
  app.route('/docs', docs);

  app.notFound((c) => respondWithProblem(c, new NotFound('There is no such page or endpoint.')));
  app.onError((error, c) => respondWithProblem(c, error));
  return app;
}

/** Answers a method that no route of the path has: `OPTIONS` with the methods, any other with 405. */
function refuseMethod(c: Context<AppEnv>, allowed: readonly string[]): Response | Promise<Response> {
  const methods = [...allowed, 'OPTIONS'];
  if (c.req.method === 'OPTIONS') return c.body(null, 204, { Allow: methods.join(', ') });
  return respondWithProblem(c, new MethodNotAllowed(methods));
}
