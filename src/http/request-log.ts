import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { PROBLEMS } from '../api/problems.ts';
import type { AppEnv } from '../env.ts';
import { describeDetails, explainError, logRequest, noDetails } from '../log.ts';
import { shortVersion } from '../model/layout.ts';

/** Logs one line for each request, names the model's version in the answer, and keeps it out of caches. */
export const requestLog: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set('details', noDetails());
  await next();
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  const { failure, details, requestId, service } = c.var;
  // Before a photo is scored, the version that the isolate serves.
  const version = details.version ?? (service.models.served && shortVersion(service.models.served.version));
  if (version !== undefined) c.header('X-Model-Version', version);
  logRequest({
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    code: failure?.code,
    reason: failure && PROBLEMS[failure.code].status >= 500 ? explainError(failure) : undefined,
    ...describeDetails(details),
    request: requestId,
  });
};
