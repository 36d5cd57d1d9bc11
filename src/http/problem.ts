import type { Context } from 'hono';
import { PROBLEMS } from '../api/problems.ts';
import type { Problem } from '../api/schemas.ts';
import type { AppEnv } from '../env.ts';
import { type Failure, MethodNotAllowed, TemporaryFailure, toFailure, Unauthorized } from '../errors.ts';
import { problemPage } from '../views/result.ts';
import { prefersHtml } from './negotiation.ts';
import { PAGE_POLICY } from './security-headers.ts';

/** The failure as a problem document (RFC 9457) with its stable `code`. */
export function toProblem({ code, message }: Failure): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:husky-ai:problem:${code}`, title, status, code, detail: message };
}

/**
 * Answers with any error: as `application/problem+json`, as a page for a browser, or in the form of another protocol,
 * which has the text in `error` and the type `application/json`.
 */
export function respondWithProblem(c: Context<AppEnv>, error: Error): Response | Promise<Response> {
  const failure = toFailure(error);
  const { status } = PROBLEMS[failure.code];
  c.set('failure', failure);
  for (const [name, value] of Object.entries(headersFor(failure))) c.header(name, value);
  const problem = { ...toProblem(failure), requestId: c.var.requestId };
  if (c.var.errorObjects) return c.json({ error: failure.message, ...problem }, status);
  c.header('Vary', 'Accept', { append: true });
  if (prefersHtml(c)) {
    c.header('Content-Security-Policy', PAGE_POLICY);
    return c.html(problemPage(problem), status);
  }
  c.header('Content-Type', 'application/problem+json');
  return c.body(JSON.stringify(problem), status);
}

function headersFor(failure: Failure): Record<string, string> {
  if (failure instanceof TemporaryFailure) return { 'Retry-After': String(failure.retryAfter) };
  if (failure instanceof MethodNotAllowed) return { Allow: failure.allowed.join(', ') };
  // RFC 6750, section 3.1: an error code only where the request carried a token.
  if (failure instanceof Unauthorized)
    return { 'WWW-Authenticate': failure.presented ? 'Bearer error="invalid_token"' : 'Bearer' };
  return {};
}
